package kubetest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/boltseal/boltseal/internal/kubetest"
	"github.com/boltseal/boltseal/orchestrator"
)

// TestWritesAreAsTheServerSays lets the users of a random world write bindings
// and roles, without storing them, and compares the answers.
func TestWritesAreAsTheServerSays(t *testing.T) {
	c := kubetest.Running(t)
	ctx := context.Background()
	w := newWorld(1000)
	// Everybody asked is in a group that may write, so that what is left to
	// refuse is the escalation.
	writers := w.id + "-writers"
	w.clusterRoles = append(w.clusterRoles, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: writers, Labels: map[string]string{"world": w.id}},
		Rules: []rbacv1.PolicyRule{{Verbs: []string{"create"}, APIGroups: []string{rbacv1.GroupName}, Resources: []string{"roles", "clusterroles", "rolebindings", "clusterrolebindings"}}}})
	w.clusterBinds = append(w.clusterBinds, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: writers, Labels: map[string]string{"world": w.id}},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: writers},
		Subjects: []rbacv1.Subject{{Kind: "Group", APIGroup: rbacv1.GroupName, Name: writers}}})
	w.create(t, c.Admin)
	defer w.remove(t, c.Admin)
	a := w.stored(t, c.Admin)
	dry := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	allowed := 0
	for i := range 150 {
		user := w.user()
		groups := []string{w.group(), writers}
		conf := rest.CopyConfig(c.Config)
		conf.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: groups}
		client := kubetest.Client(t, conf)
		who := orchestrator.User(user)
		name := fmt.Sprintf("%s-new-%d", w.id, i)

		ns := w.pick(w.namespaces)
		ref := w.clusterRef()
		if i%2 == 0 {
			ref.Kind, ref.Name = "Role", w.roles[w.rnd.IntN(len(w.roles))].Name
		}
		binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: ref}
		_, err := client.RbacV1().RoleBindings(ns).Create(ctx, binding, dry)
		allowed += agree(t, err, a.CanBind(who, ns, ref, groups...), "%s %v binds %s in %s", user, groups, ref.Name, ns)

		cref := w.clusterRef()
		_, err = client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: cref}, dry)
		allowed += agree(t, err, a.CanBind(who, "", cref, groups...), "%s %v binds %s everywhere", user, groups, cref.Name)

		rules := []rbacv1.PolicyRule{w.rule(false)}
		_, err = client.RbacV1().Roles(ns).Create(ctx, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}, dry)
		allowed += agree(t, err, a.CanWriteRole(who, &orchestrator.Role{Namespace: ns, Name: name, Rules: rules}, true, groups...), "%s %v writes %v in %s", user, groups, rules, ns)

		rules = []rbacv1.PolicyRule{w.rule(true)}
		cr := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
		if i%5 == 0 {
			cr.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{{MatchLabels: map[string]string{"a": "b"}}}}
		}
		_, err = client.RbacV1().ClusterRoles().Create(ctx, cr, dry)
		allowed += agree(t, err, a.CanWriteRole(who, &orchestrator.Role{Name: name, Rules: rules, Aggregation: cr.AggregationRule}, true, groups...), "%s %v writes %v", user, groups, rules)
	}
	t.Logf("600 writes, %d allowed", allowed)
	require.Greater(t, allowed, 30)
}

// agree compares an answer with what the server did, and counts what it allowed.
func agree(t *testing.T, err error, d orchestrator.Decision, format string, args ...any) int {
	t.Helper()
	want := orchestrator.Granted
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		want = orchestrator.NotGranted
	} else {
		require.NoError(t, err)
	}
	if d.Answer != want {
		t.Errorf("%s: %s (%s), the API server: %v", fmt.Sprintf(format, args...), d.Answer, d.Reason, err)
	}
	if want == orchestrator.Granted {
		return 1
	}
	return 0
}

// TestImpersonationIsAsTheServerSays sends requests as somebody else, by the
// older verb and by the two of constrained impersonation.
func TestImpersonationIsAsTheServerSays(t *testing.T) {
	c := kubetest.Running(t)
	c.Apply(t, `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: impersonates-old}
rules:
- {apiGroups: [""], resources: [users, groups], resourceNames: [ann, devs], verbs: [impersonate]}
- {apiGroups: [""], resources: [serviceaccounts], resourceNames: [web], verbs: [impersonate]}
- {apiGroups: [authentication.k8s.io], resources: [userextras/scopes], resourceNames: [view], verbs: [impersonate]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: impersonates-new}
rules:
- {apiGroups: [authentication.k8s.io], resources: [users, groups], resourceNames: [ann, devs], verbs: ["impersonate:user-info"]}
- {apiGroups: [authentication.k8s.io], resources: [serviceaccounts], verbs: ["impersonate:serviceaccount"]}
- {apiGroups: [authentication.k8s.io], resources: [nodes], verbs: ["impersonate:arbitrary-node"]}
- {apiGroups: [authentication.k8s.io], resources: [selfsubjectreviews], verbs: ["impersonate-on:user-info:create", "impersonate-on:serviceaccount:create", "impersonate-on:arbitrary-node:create"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: impersonates-half}
rules:
- {apiGroups: [authentication.k8s.io], resources: [users], verbs: ["impersonate:user-info"]}
- {apiGroups: [authentication.k8s.io], resources: [selfsubjectreviews], verbs: ["impersonate-on:serviceaccount:create"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: impersonates-old}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: impersonates-old}
subjects: [{kind: User, name: case-480, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: impersonates-new}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: impersonates-new}
subjects: [{kind: User, name: case-481, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: impersonates-half}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: impersonates-half}
subjects: [{kind: User, name: case-482, apiGroup: rbac.authorization.k8s.io}]
`)
	q := orchestrator.Request{Verb: "create", Group: "authentication.k8s.io", Resource: "selfsubjectreviews"}
	send := func(user string, as orchestrator.Impersonation) error {
		conf := c.As(user)
		conf.Impersonate = rest.ImpersonationConfig{UserName: as.User, UID: as.UID, Groups: as.Groups, Extra: as.Extra}
		cs, err := kubernetes.NewForConfig(conf)
		require.NoError(t, err)
		got, err := cs.AuthenticationV1().SelfSubjectReviews().Create(context.Background(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
		if err == nil {
			require.Equal(t, as.User, got.Status.UserInfo.Username)
		}
		return err
	}
	ann := orchestrator.Impersonation{User: "ann"}
	for _, user := range []string{"case-480", "case-481"} { // until the authorizer has seen them
		require.Eventually(t, func() bool { return send(user, ann) == nil }, time.Minute, 200*time.Millisecond)
	}
	w := &rbacWorld{}
	a := w.stored(t, c.Admin)
	allowed := 0
	for _, user := range []string{"case-480", "case-481", "case-482", "case-483"} {
		for _, as := range []orchestrator.Impersonation{
			ann, {User: "bob"}, {User: "ann", Groups: []string{"devs"}}, {User: "ann", Groups: []string{"devs", "ops"}}, {User: "ann", Groups: []string{"system:masters"}},
			{User: "system:serviceaccount:shop:web"}, {User: "system:serviceaccount:shop:other"}, {User: "system:serviceaccount:shop:web", Groups: []string{"devs"}},
			{User: "system:node:n1"}, {User: "system:node:n1", Groups: []string{"system:nodes"}}, {User: "ann", UID: "7"},
			{User: "ann", Extra: map[string][]string{"scopes": {"view"}}}, {User: "ann", Extra: map[string][]string{"scopes": {"view", "edit"}}},
		} {
			allowed += agree(t, send(user, as), a.CanImpersonate(orchestrator.User(user), as, q), "%s as %+v", user, as)
		}
	}
	require.Greater(t, allowed, 8)
}
