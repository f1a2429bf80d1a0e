package kubetest_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	registrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/boltseal/boltseal/internal/kubetest"
)

// createStrongPod has the pod safe/strong run on t-node, as far as a cluster
// without kubelets goes.
func createStrongPod(t *testing.T, c *kubetest.Cluster) {
	spec := restrictedPod("strong")
	spec.NodeName = "t-node"
	spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}}
	_, err := c.Admin.CoreV1().Pods("safe").Create(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "strong"}, Spec: spec}, metav1.CreateOptions{})
	require.NoError(t, err)
}

func changeImage(ctx context.Context, a *attacker) error {
	patch := fmt.Sprintf(`{"spec":{"containers":[{"name":"c","image":"registry.example/%s:1"}]}}`, a.name)
	got, err := a.cs.CoreV1().Pods("safe").Patch(ctx, "strong", types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	if err == nil && got.Spec.Containers[0].Image != "registry.example/"+a.name+":1" {
		err = errors.New("the image is as it was")
	}
	return err
}

func addContainer(privileged bool) func(context.Context, *attacker) error {
	return func(ctx context.Context, a *attacker) error {
		c := restrictedPod("strong").Containers[0]
		if privileged {
			c.SecurityContext = &corev1.SecurityContext{Privileged: ptr(true)}
		}
		patch := map[string]any{"spec": map[string]any{"ephemeralContainers": []any{map[string]any{
			"name": a.name + "-debug", "image": c.Image, "securityContext": c.SecurityContext, "terminationMessagePolicy": "File",
		}}}}
		_, err := a.cs.CoreV1().Pods("safe").Patch(ctx, "strong", types.StrategicMergePatchType, encode(patch), metav1.PatchOptions{}, "ephemeralcontainers")
		return err
	}
}

// raw sends a request and returns an error if the API server forbids it. What
// it answers beyond that is a missing kubelet's affair.
func (a *attacker) raw(ctx context.Context, method, path, contentType, body string, header http.Header) error {
	conf := rest.CopyConfig(a.conf)
	conf.NextProtos = []string{"http/1.1"} // an upgrade is none of HTTP/2
	client, err := rest.HTTPClientFor(conf)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, conf.Host+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var s metav1.Status
	json.NewDecoder(resp.Body).Decode(&s)
	if resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusBadRequest || resp.StatusCode == http.StatusUnprocessableEntity {
		return fmt.Errorf("%s: %s", resp.Status, s.Message)
	}
	return nil
}

// connect asks for a stream by POST, and by the GET of a WebSocket.
func connect(sub string) func(context.Context, *attacker) error {
	return func(ctx context.Context, a *attacker) error {
		path := "/api/v1/namespaces/safe/pods/strong/" + sub + "?command=id&container=c&stdout=true"
		upgrade := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"SPDY/3.1"}}
		post := a.raw(ctx, "POST", path, "", "", upgrade)
		if post == nil {
			return nil
		}
		socket := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Key": {base64.StdEncoding.EncodeToString(make([]byte, 16))}, "Sec-Websocket-Protocol": {"v5.channel.k8s.io"}}
		if a.raw(ctx, "GET", path, "", "", socket) == nil {
			return nil
		}
		return post
	}
}

func kubelet(ctx context.Context, a *attacker) error {
	return a.raw(ctx, "GET", "/api/v1/nodes/t-node/proxy/pods", "", "", nil)
}

func changeSettings(ctx context.Context, a *attacker) error {
	_, err := a.cs.CoreV1().ConfigMaps("safe").Patch(ctx, "settings", types.MergePatchType, []byte(`{"data":{"by":"`+a.name+`"}}`), metav1.PatchOptions{})
	return err
}

// nodesPods takes the place of the node's kubelet, and from there the token of
// a pod that runs there.
func nodesPods(ctx context.Context, a *attacker) error {
	conf, err := a.request(ctx, certificatesv1.KubeAPIServerClientKubeletSignerName, "system:node:t-node", "system:nodes", false)
	if err != nil {
		return err
	}
	node, err := kubernetes.NewForConfig(conf)
	if err != nil {
		return err
	}
	return eventually(func() error {
		pod, err := node.CoreV1().Pods("safe").Get(ctx, "strong", getOptions)
		if err != nil {
			return err
		}
		got, err := node.CoreV1().ServiceAccounts("safe").CreateToken(ctx, "strong", &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
			BoundObjectRef: &authenticationv1.BoundObjectReference{Kind: "Pod", APIVersion: "v1", Name: pod.Name, UID: pod.UID},
		}}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		strong, err := kubernetes.NewForConfig(a.as(got.Status.Token))
		if err != nil {
			return err
		}
		who, err := strong.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
		if err == nil && who.Status.UserInfo.Username != "system:serviceaccount:safe:strong" {
			err = fmt.Errorf("the token is %s's", who.Status.UserInfo.Username)
		}
		return err
	})
}

func cloudToken(ctx context.Context, a *attacker) error {
	_, err := a.cs.CoreV1().ServiceAccounts("safe").CreateToken(ctx, "cloud", &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{Audiences: []string{"sts.amazonaws.com"}},
	}, metav1.CreateOptions{})
	return err
}

// lure is a binding that an administrator writes, for somebody else.
func (a *attacker) lure(ctx context.Context) error {
	_, err := a.c.Admin.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: a.name + "-lure", Labels: map[string]string{"lure": a.name}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "t-full"},
		Subjects:   []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: "t-root"}},
	}, metav1.CreateOptions{})
	return err
}

// lureUntil writes the binding again and again until the attacker is in it.
func (a *attacker) lureUntil(ctx context.Context) error {
	api := a.c.Admin.RbacV1().ClusterRoleBindings()
	err := eventually(func() error {
		if err := a.lure(ctx); err != nil {
			return err
		}
		b, err := api.Get(ctx, a.name+"-lure", getOptions)
		if err == nil && len(b.Subjects) < 2 {
			err = errors.New("the binding is as it was written")
		}
		if err != nil {
			api.Delete(ctx, a.name+"-lure", metav1.DeleteOptions{})
		}
		return err
	})
	if err != nil {
		return err
	}
	return proves(ctx, a.conf, "")
}

// mutatingWebhook adds the attacker to a binding that an administrator writes.
func mutatingWebhook(ctx context.Context, a *attacker) error {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review admissionv1.AdmissionReview
		if json.NewDecoder(r.Body).Decode(&review) != nil || review.Request == nil {
			http.Error(w, "no review", http.StatusBadRequest)
			return
		}
		kind := admissionv1.PatchTypeJSONPatch
		review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true, PatchType: &kind,
			Patch: encode([]any{map[string]any{"op": "add", "path": "/subjects/-", "value": a.me()[0]}})}
		review.Request = nil
		json.NewEncoder(w).Encode(&review)
	}))
	defer server.Close()
	ignore, none, url := registrationv1.Ignore, registrationv1.SideEffectClassNone, server.URL
	_, err := a.cs.AdmissionregistrationV1().MutatingWebhookConfigurations().Create(ctx, &registrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: a.name},
		Webhooks: []registrationv1.MutatingWebhook{{
			Name: a.name + ".example.com", FailurePolicy: &ignore, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
			ClientConfig:   registrationv1.WebhookClientConfig{URL: &url, CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})},
			ObjectSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"lure": a.name}},
			Rules: []registrationv1.RuleWithOperations{{Operations: []registrationv1.OperationType{registrationv1.Create},
				Rule: registrationv1.Rule{APIGroups: []string{rbacv1.GroupName}, APIVersions: []string{"v1"}, Resources: []string{"clusterrolebindings"}}}},
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	defer a.c.Admin.AdmissionregistrationV1().MutatingWebhookConfigurations().Delete(ctx, a.name, metav1.DeleteOptions{})
	return a.lureUntil(ctx)
}

// mutatingPolicy does the same by a policy.
func mutatingPolicy(ctx context.Context, a *attacker) error {
	docs := strings.ReplaceAll(`
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: NAME}
spec:
  reinvocationPolicy: Never
  failurePolicy: Ignore
  matchConstraints:
    objectSelector: {matchLabels: {lure: NAME}}
    resourceRules: [{apiGroups: [rbac.authorization.k8s.io], apiVersions: [v1], operations: [CREATE], resources: [clusterrolebindings]}]
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      expression: '[JSONPatch{op: "add", path: "/subjects/-", value: Object.subjects{apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "NAME"}}]'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: NAME}
spec: {policyName: NAME}
`, "NAME", a.name)
	list, err := kubetest.Decode(docs)
	if err != nil {
		return err
	}
	for _, u := range list {
		if err := kubetest.Create(a.conf, u); err != nil {
			return err
		}
	}
	return a.lureUntil(ctx)
}

// barrier is a policy that refuses privileged pods in the user's namespace.
const barrier = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: NAME-barrier}
spec:
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NAME}}
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  validations: [{expression: "!object.spec.containers.exists(c, c.?securityContext.privileged.orValue(false))", message: the barrier}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: NAME-barrier}
spec: {policyName: NAME-barrier, validationActions: [Deny]}
`

func dropBarrier(ctx context.Context, a *attacker) error {
	dry := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	deadline := time.Now().Add(30 * time.Second)
	for { // until it stands
		if _, err := a.cs.CoreV1().Pods(a.name).Create(ctx, privileged(a.name), dry); err != nil && strings.Contains(err.Error(), "the barrier") {
			break
		}
		if time.Now().After(deadline) {
			return errors.New("the barrier does not stand")
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err := a.cs.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings().Delete(ctx, a.name+"-barrier", metav1.DeleteOptions{}); err != nil {
		return err
	}
	return eventually(func() error { return privilegedPod(ctx, a) })
}
