package orchestrator

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/boltseal/boltseal"
)

// auditLine writes one event as an API server logs it.
func auditLine(user, verb, ref string, code int, more string) string {
	resource, rest, _ := strings.Cut(ref, " ")
	resource, group, _ := strings.Cut(resource, ".")
	resource, sub, _ := strings.Cut(resource, "/")
	ns, name, _ := strings.Cut(rest, "/")
	if more != "" {
		more = "," + more
	}
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","stage":"ResponseComplete","requestURI":"/x","verb":%q,`+
		`"user":{"username":%q,"groups":["system:authenticated"]},"objectRef":{"resource":%q,"namespace":%q,"name":%q,"apiGroup":%q,"subresource":%q},`+
		`"responseStatus":{"code":%d},"requestReceivedTimestamp":"2026-11-25T10:00:00.000000Z","stageTimestamp":"2026-11-25T10:00:00.100000Z"%s}`+"\n",
		verb, user, resource, ns, name, group, sub, code, more)
}

const (
	webUser = "system:serviceaccount:shop:web"
)

func TestReadAudit(t *testing.T) {
	good := auditLine(webUser, "get", "pods shop/p", 200, "")
	pretty := "{\n  \"kind\": \"EventList\",\n  \"apiVersion\": \"audit.k8s.io/v1\",\n  \"items\": [\n    " + good + "  ]\n}\n"
	log := good + "\n" + pretty + "{\"kind\":\"Event\",\"verb\":\n" + good + "nonsense\n" + `{"kind":"Event","apiVersion":"audit.k8s.io/v1beta1","verb":"get","auditID":"a"}` + "\n" +
		strings.ReplaceAll(good, `"verb":"get"`, `"verb":"*"`) + strings.TrimSuffix(good, "\n")
	var events, lines = 0, []int{}
	for _, err := range ReadAudit(t.Context(), strings.NewReader(log), nil) {
		if err == nil {
			events++
			continue
		}
		var at *boltseal.Error
		require.ErrorAs(t, err, &at)
		require.True(t, errors.Is(err, boltseal.ErrMalformed) || errors.Is(err, errors.ErrUnsupported), err)
		lines = append(lines, at.Location.Line)
	}
	require.Equal(t, 4, events)
	require.Equal(t, []int{10, 12, 13, 14}, lines)
}

func TestReadAuditLimit(t *testing.T) {
	good := auditLine(webUser, "get", "pods shop/p", 200, "")
	log := good + `{"kind":"Event","verb":"` + strings.Repeat("x", 5000) + "\"}\n" + good
	var got []string
	for _, err := range ReadAudit(t.Context(), strings.NewReader(log), &AuditOptions{DocumentBytes: 1000}) {
		got = append(got, fmt.Sprint(errors.Is(err, boltseal.ErrLimit)))
	}
	require.Equal(t, []string{"false", "true", "false"}, got)
}

func TestAuditRequest(t *testing.T) {
	for _, test := range []struct {
		line string
		want Request
		ok   bool
	}{
		{auditLine("u", "get", "pods/log shop/p", 404, ""), Request{Verb: "get", Resource: "pods", Subresource: "log", Namespace: "shop", Name: "p"}, true},
		{auditLine("u", "create", "pods shop/p", 201, ""), Request{Verb: "create", Resource: "pods", Namespace: "shop"}, true},
		{auditLine("u", "create", "pods/exec shop/p", 101, ""), Request{Verb: "create", Resource: "pods", Subresource: "exec", Namespace: "shop", Name: "p"}, true},
		{auditLine("u", "deletecollection", "pods shop/p", 200, ""), Request{Verb: "deletecollection", Resource: "pods", Namespace: "shop"}, true},
		{strings.Replace(auditLine("u", "list", "secrets shop/", 200, ""), `"/x"`, `"/api/v1/secrets?fieldSelector=metadata.name%3Dx"`, 1), Request{Verb: "list", Resource: "secrets", Namespace: "shop", Name: "x"}, true},
		{strings.Replace(auditLine("u", "list", "secrets shop/", 200, ""), `"/x"`, `"/api/v1/secrets?fieldSelector=metadata.name%3Dx%2Ctype%3DOpaque"`, 1), Request{Verb: "list", Resource: "secrets", Namespace: "shop"}, true},
		{strings.Replace(auditLine("u", "get", " /", 200, ""), `"/x"`, `"/metrics?a=b"`, 1), Request{Verb: "get", Path: "/metrics"}, true},
		{auditLine("u", "get", "pods shop/p", 403, ""), Request{Verb: "get", Resource: "pods", Namespace: "shop", Name: "p"}, false},
		{auditLine("u", "get", "pods shop/p", 401, ""), Request{Verb: "get", Resource: "pods", Namespace: "shop", Name: "p"}, false},
		{auditLine("u", "get", "pods shop/p", 429, ""), Request{Verb: "get", Resource: "pods", Namespace: "shop", Name: "p"}, false},
		{auditLine("u", "create", "pods/eviction shop/p", 429, ""), Request{Verb: "create", Resource: "pods", Subresource: "eviction", Namespace: "shop", Name: "p"}, true},
		{auditLine("u", "create", "pods shop/p", 403, `"annotations":{"authorization.k8s.io/decision":"allow"}`), Request{Verb: "create", Resource: "pods", Namespace: "shop"}, true},
		{auditLine("u", "get", "pods shop/p", 500, `"annotations":{"authorization.k8s.io/decision":"forbid"}`), Request{Verb: "get", Resource: "pods", Namespace: "shop", Name: "p"}, false},
	} {
		for e, err := range ReadAudit(t.Context(), strings.NewReader(test.line), nil) {
			require.NoError(t, err)
			require.Equal(t, test.want, e.Request(), test.line)
			require.Equal(t, test.ok, e.Authorized(), test.line)
		}
	}
}

func TestGrantedBy(t *testing.T) {
	for reason, want := range map[string]string{
		`RBAC: allowed by ClusterRoleBinding "cluster-admins" of ClusterRole "cluster-admin" to Group "g"`: "ClusterRoleBinding//cluster-admins",
		`RBAC: allowed by RoleBinding "web/shop" of Role "web" to ServiceAccount "web/shop"`:               "RoleBinding/shop/web",
		`RBAC: allowed by Nothing "x"`: "//",
		"":                             "//",
	} {
		e := AuditEvent{Annotations: map[string]string{"authorization.k8s.io/reason": reason}}
		kind, ns, name := e.GrantedBy()
		require.Equal(t, want, kind+"/"+ns+"/"+name)
	}
}

func usage(t *testing.T, snap *Snapshot, log string, opts *UsageOptions) *Usage {
	t.Helper()
	u, err := NewAccess(snap).Usage(t.Context(), ReadAudit(t.Context(), strings.NewReader(log), nil), opts)
	require.NoError(t, err)
	return u
}

func TestSuggest(t *testing.T) {
	snap := shortWorld(t, "ns shop\nsa shop/web\nrole big: * *.*\nbind b big shop/web", nil)
	var log strings.Builder
	for _, line := range []string{
		auditLine(webUser, "get", "configmaps shop/settings", 200, ""),
		auditLine(webUser, "list", "pods shop/", 200, ""),
		auditLine(webUser, "watch", "pods shop/", 200, ""),
		auditLine(webUser, "get", "deployments.apps ops/a", 404, ""),
		auditLine(webUser, "delete", "secrets ops/a", 403, ""), // refused: not used
		auditLine(webUser, "list", "nodes /", 200, ""),
		strings.Replace(auditLine(webUser, "get", " /", 200, ""), `"/x"`, `"/metrics"`, 1),
		auditLine("admin", "get", "secrets shop/s", 200, `"impersonatedUser":{"username":"`+webUser+`","groups":["system:serviceaccounts","system:serviceaccounts:shop","system:authenticated","extra"]}`),
	} {
		log.WriteString(line)
	}
	for i := range 9 {
		log.WriteString(auditLine(webUser, "get", fmt.Sprintf("pods shop/p%d", i), 200, ""))
	}
	u := usage(t, snap, log.String(), nil)
	web := ServiceAccount("shop", "web")
	s := u.Suggest(web, nil)
	require.Empty(t, s.Proof.Missing)
	require.Equal(t, 16, s.Proof.Requests)
	require.Equal(t, []string{"get pods."}, s.Proof.Widened)
	require.Equal(t, []string{
		`ops: get deployments of apps named a`,
		`shop: get configmaps of "" named settings`, `shop: get,list,watch pods of ""`, `shop: get secrets of "" named s`,
		`get /metrics`, `list nodes of ""`,
	}, suggested(&s))
	for _, q := range []Request{
		{Verb: "get", Resource: "configmaps", Namespace: "shop", Name: "other"}, {Verb: "delete", Resource: "secrets", Namespace: "ops", Name: "a"},
		{Verb: "list", Resource: "pods"}, {Verb: "get", Path: "/metrics/x"},
	} {
		require.False(t, s.Allows(q), q)
	}
	admin := u.Suggest(User("admin"), nil)
	require.Equal(t, []string{`shop: impersonate serviceaccounts of "" named web`, `impersonate groups of "" named extra`}, suggested(&admin))

	roles, cluster := s.Bindings()
	require.Len(t, roles, 2)
	require.Equal(t, "used-by-web", cluster.RoleRef.Name)
}

func suggested(s *Suggestion) (out []string) {
	for _, r := range s.Roles {
		for i := range r.Rules {
			out = append(out, r.Namespace+": "+ruleString(&r.Rules[i]))
		}
	}
	if s.Cluster != nil {
		for i := range s.Cluster.Rules {
			out = append(out, ruleString(&s.Cluster.Rules[i]))
		}
	}
	return out
}

func TestUnused(t *testing.T) {
	snap := shortWorld(t, "ns shop\nsa shop/web\nrole shop/r: get,delete pods; get secrets s; * configmaps; bind roles.rbac\nbind shop/b ./r shop/web", nil)
	log := auditLine(webUser, "get", "pods shop/p", 200, "") + auditLine(webUser, "get", "configmaps shop/c", 200, "") + auditLine(webUser, "get", "secrets shop/other", 403, "")
	unused := func(opts *UsageOptions) (out []string) {
		for x := range usage(t, snap, log, opts).Unused(ServiceAccount("shop", "web")) {
			out = append(out, fmt.Sprintf("%s %s %s", x.Verdict, strings.Join(x.Verbs, ","), strings.Join(x.Grant.Rule().Resources, ",")))
		}
		return out
	}
	require.Equal(t, []string{"fail delete pods", "fail get secrets", "unknown bind roles"}, unused(&UsageOptions{Complete: true}))
	require.Equal(t, []string{"unknown delete pods", "unknown get secrets", "unknown bind roles"}, unused(nil))
}

func FuzzReadAudit(f *testing.F) {
	f.Add(auditLine(webUser, "get", "pods shop/p", 200, ""), 1000)
	f.Add("{\n \"kind\":\"EventList\",\"items\":[{}]\n}\n{", 10)
	f.Add("[[[{\"\\", 0)
	f.Add(`{"kind":"Event","auditID":"a","verb":"list","requestURI":"/x?fieldSelector=metadata.name=%zz","objectRef":{"resource":"p"}}`, 0)
	snap, err := FromObjects(func(func(runtime.Object) bool) {}, nil)
	require.NoError(f, err)
	access := NewAccess(snap) // does not change, and costs more than all the rest
	f.Fuzz(func(t *testing.T, log string, limit int) {
		n := 0
		for e, err := range ReadAudit(t.Context(), strings.NewReader(log), &AuditOptions{DocumentBytes: limit}) {
			if err == nil {
				e.Request()
				e.GrantedBy()
			}
			n++
		}
		require.LessOrEqual(t, n, len(log)+1)
		u, _ := access.Usage(t.Context(), ReadAudit(t.Context(), strings.NewReader(log), nil), nil)
		for _, s := range u.Subjects() {
			sug := u.Suggest(s, nil)
			require.Empty(t, sug.Proof.Missing)
		}
	})
}
