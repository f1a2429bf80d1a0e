package kubetest_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	registrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal/internal/kubetest"
	"github.com/boltseal/boltseal/orchestrator"
)

var registries = []string{"registry.example.com", "docker.io/library/busybox"}

// postureCase is one document of the posture's own test cases.
type postureCase struct {
	name   string
	check  *orchestrator.Check
	object *unstructured.Unstructured
}

// postureCases are the objects that checks with a policy judge.
func postureCases(t testing.TB) (all []postureCase) {
	byID := map[string]*orchestrator.Check{}
	for _, c := range orchestrator.Checks() {
		if c.CEL != "" {
			byID[c.ID] = c
		}
	}
	files, err := filepath.Glob("../../orchestrator/testdata/posture/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, part := range strings.Split(string(data), "\n-- ")[1:] {
			name, body, _ := strings.Cut(part, " --\n")
			id, _, _ := strings.Cut(name, "/")
			check := byID[id]
			if check == nil {
				continue
			}
			for _, o := range kubetest.Documents(t, body) {
				if slices.ContainsFunc(check.Judges, func(r schema.GroupResource) bool {
					return r.Group == o.GroupVersionKind().Group && strings.HasPrefix(r.Resource, strings.ToLower(o.GetKind()))
				}) {
					all = append(all, postureCase{strings.TrimSuffix(name, ".yaml"), check, o})
				}
			}
		}
	}
	return all
}

// judged is the webhook's answer about an object on its way in.
func judged(t testing.TB, c *orchestrator.Check, o *unstructured.Unstructured) bool {
	minor := orchestrator.DefaultMinor
	if c.ID == "H13" {
		minor = 35 // the last version in which the volume does something
	}
	a, err := orchestrator.NewAdmission(orchestrator.AdmissionOptions{
		OnError: orchestrator.Allow, Checks: []*orchestrator.Check{c},
		Posture: &orchestrator.PostureOptions{Registries: registries},
		Snapshot: func() *orchestrator.Snapshot {
			return orchestrator.NewBuilder(&orchestrator.LoadOptions{Minor: minor}).Snapshot()
		},
	})
	require.NoError(t, err)
	data, err := json.Marshal(o)
	require.NoError(t, err)
	gvk := o.GroupVersionKind()
	return a.Review(t.Context(), &admissionv1.AdmissionRequest{
		UID: "u", Operation: admissionv1.Create, Namespace: o.GetNamespace(),
		Kind:   metav1.GroupVersionKind{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind},
		Object: runtime.RawExtension{Raw: data},
	}).Allowed
}

// prepare makes what the cases refer to.
func prepare(t testing.TB, c *kubetest.Cluster) {
	for _, ns := range []string{"shop", "kube-system", "default"} {
		c.Apply(t, "{apiVersion: v1, kind: Namespace, metadata: {name: "+ns+"}}")
		c.Apply(t, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: "+ns+"}}")
		require.Eventually(t, func() bool {
			_, err := c.Admin.CoreV1().ServiceAccounts(ns).Get(context.Background(), "default", metav1.GetOptions{})
			return err == nil
		}, time.Minute, 100*time.Millisecond)
	}
}

const caseLabel = "boltseal-case"

// TestPoliciesEqualChecks puts every check that has a policy into force, each for
// objects with its own label, and has the API server admit all cases.
func TestPoliciesEqualChecks(t *testing.T) {
	c := kubetest.Running(t)
	ctx := t.Context()
	prepare(t, c)
	api := c.Admin.AdmissionregistrationV1()
	failing := map[string]*unstructured.Unstructured{}
	cases := postureCases(t)
	for _, x := range cases {
		if !judged(t, x.check, x.object) && !invalid(x) {
			failing[x.check.ID] = x.object
		}
	}
	var names []string
	for _, check := range orchestrator.Checks() {
		if check.CEL == "" {
			continue
		}
		policy, binding, err := orchestrator.VAP(check, &orchestrator.VAPOptions{Registries: registries})
		require.NoError(t, err)
		binding.Spec.MatchResources = &registrationv1.MatchResources{ObjectSelector: &metav1.LabelSelector{MatchLabels: map[string]string{caseLabel: check.ID}}}
		_, err = api.ValidatingAdmissionPolicies().Create(ctx, policy, metav1.CreateOptions{})
		require.NoError(t, err, check.ID)
		_, err = api.ValidatingAdmissionPolicyBindings().Create(ctx, binding, metav1.CreateOptions{})
		require.NoError(t, err, check.ID)
		names = append(names, policy.Name)
		t.Cleanup(func() {
			require.NoError(t, api.ValidatingAdmissionPolicyBindings().Delete(context.Background(), binding.Name, metav1.DeleteOptions{}))
			require.NoError(t, api.ValidatingAdmissionPolicies().Delete(context.Background(), policy.Name, metav1.DeleteOptions{}))
		})
	}
	for _, name := range names {
		require.Eventually(t, func() bool {
			p, err := api.ValidatingAdmissionPolicies().Get(ctx, name, metav1.GetOptions{})
			require.NoError(t, err)
			if p.Status.ObservedGeneration != p.Generation || p.Status.TypeChecking == nil {
				return false
			}
			require.Empty(t, p.Status.TypeChecking.ExpressionWarnings, name)
			return true
		}, time.Minute, 100*time.Millisecond, name)
	}
	for id, o := range failing {
		require.Eventually(t, func() bool { return admit(c, id, o) != nil }, time.Minute, 100*time.Millisecond, "the policy of %s is not in force", id)
	}
	compared := 0
	for _, x := range cases {
		err := admit(c, x.check.ID, x.object)
		if err != nil && !strings.Contains(err.Error(), "ValidatingAdmissionPolicy") {
			require.True(t, invalid(x), "%s: %v", x.name, err)
			continue
		}
		compared++
		require.Equal(t, judged(t, x.check, x.object), err == nil, "%s: %v", x.name, err)
		if err != nil {
			require.ErrorContains(t, err, x.check.String())
		}
	}
	t.Logf("%d policies, %d cases compared", len(names), compared)
	require.Greater(t, compared, 120)
}

// invalid reports whether the API server refuses a case for itself.
func invalid(x postureCase) bool {
	// Ephemeral containers come later; a mirror pod is a node's to make.
	return x.check.ID == "W22" && x.object.GetKind() == "Pod" || x.object.GetAnnotations()[corev1.MirrorPodAnnotationKey] != "" ||
		strings.HasPrefix(x.name, "W13/fail") || strings.HasPrefix(x.name, "H12/fail") || strings.Contains(x.name, "inert-annotation")
}

// admit asks for an object with the label of a check, without storing it.
func admit(c *kubetest.Cluster, id string, o *unstructured.Unstructured) error {
	o = o.DeepCopy()
	labels := o.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[caseLabel] = id
	o.SetLabels(labels)
	o.SetUID("")
	return kubetest.DryRun(c.Config, o)
}

// TestPolicyRatchet shows that an update is refused for what it adds.
func TestPolicyRatchet(t *testing.T) {
	c := kubetest.Running(t)
	ctx := t.Context()
	prepare(t, c)
	pods := c.Admin.CoreV1().Pods("shop")
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "ratchet", Labels: map[string]string{caseLabel: "ratchet"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "old", Image: "nginx:latest"}, {Name: "new", Image: "nginx:1"}}},
	}
	pod, err := pods.Create(ctx, pod, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { pods.Delete(context.Background(), pod.Name, *metav1.NewDeleteOptions(0)) })

	for _, id := range []string{"I01", "W22"} {
		selected, err := orchestrator.SelectChecks(id)
		require.NoError(t, err)
		policy, binding, err := orchestrator.VAP(selected[0], &orchestrator.VAPOptions{Prefix: "ratchet-"})
		require.NoError(t, err)
		binding.Spec.MatchResources = &registrationv1.MatchResources{ObjectSelector: &metav1.LabelSelector{MatchLabels: map[string]string{caseLabel: "ratchet"}}}
		api := c.Admin.AdmissionregistrationV1()
		_, err = api.ValidatingAdmissionPolicies().Create(ctx, policy, metav1.CreateOptions{})
		require.NoError(t, err)
		_, err = api.ValidatingAdmissionPolicyBindings().Create(ctx, binding, metav1.CreateOptions{})
		require.NoError(t, err)
		t.Cleanup(func() {
			api.ValidatingAdmissionPolicyBindings().Delete(context.Background(), binding.Name, metav1.DeleteOptions{})
			api.ValidatingAdmissionPolicies().Delete(context.Background(), policy.Name, metav1.DeleteOptions{})
		})
	}
	update := func(change func(*corev1.Pod)) error {
		p, err := pods.Get(ctx, pod.Name, metav1.GetOptions{})
		require.NoError(t, err)
		change(p)
		_, err = pods.Update(ctx, p, metav1.UpdateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	}
	worse := func(p *corev1.Pod) { p.Spec.Containers[1].Image = "nginx" }
	require.Eventually(t, func() bool { return update(worse) != nil }, time.Minute, 100*time.Millisecond)
	err = update(worse)
	require.ErrorContains(t, err, "I01")
	require.ErrorContains(t, err, "new: nginx")
	require.NotContains(t, err.Error(), "old:", "what was there is not held against the update")
	require.NoError(t, update(func(p *corev1.Pod) { p.Labels["touched"] = "yes" }))
	require.NoError(t, update(func(p *corev1.Pod) { p.Spec.Containers[0].Image = "nginx:2" }), "a mended one")

	debug, err := pods.Get(ctx, pod.Name, metav1.GetOptions{})
	require.NoError(t, err)
	debug.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "busybox:1", TerminationMessagePolicy: corev1.TerminationMessageReadFile}}}
	require.Eventually(t, func() bool {
		_, err = pods.UpdateEphemeralContainers(ctx, debug.Name, debug, metav1.UpdateOptions{DryRun: []string{metav1.DryRunAll}})
		return err != nil
	}, time.Minute, 100*time.Millisecond)
	require.ErrorContains(t, err, "W22")
}

// TestWebhook has the API server call the webhook over TLS.
func TestWebhook(t *testing.T) {
	c := kubetest.Running(t)
	ctx := t.Context()
	prepare(t, c)
	selected, err := orchestrator.SelectChecks("H08", "I01")
	require.NoError(t, err)
	a, err := orchestrator.NewAdmission(orchestrator.AdmissionOptions{OnError: orchestrator.Deny, Checks: selected})
	require.NoError(t, err)
	server := httptest.NewTLSServer(a)
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})

	fail, none, timeout := registrationv1.Fail, registrationv1.SideEffectClassNone, int32(5)
	url := server.URL
	config := &registrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "boltseal"},
		Webhooks: []registrationv1.ValidatingWebhook{{
			Name: "boltseal.example.com", FailurePolicy: &fail, SideEffects: &none, TimeoutSeconds: &timeout, AdmissionReviewVersions: []string{"v1"},
			ClientConfig:   registrationv1.WebhookClientConfig{URL: &url, CABundle: ca},
			ObjectSelector: &metav1.LabelSelector{MatchLabels: map[string]string{caseLabel: "webhook"}},
			Rules: []registrationv1.RuleWithOperations{{
				Operations: []registrationv1.OperationType{registrationv1.Create, registrationv1.Update, registrationv1.Delete},
				Rule:       registrationv1.Rule{APIGroups: []string{"", "apps"}, APIVersions: []string{"v1"}, Resources: []string{"pods", "pods/ephemeralcontainers", "deployments"}},
			}},
		}},
	}
	api := c.Admin.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	_, err = api.Create(ctx, config, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { api.Delete(context.Background(), config.Name, metav1.DeleteOptions{}) })

	create := func(manifest string) error {
		return kubetest.DryRun(c.Config, kubetest.Documents(t, manifest)[0])
	}
	pod := func(container string) string {
		return fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: hook, namespace: shop, labels: {%s: webhook}}, spec: {containers: [%s]}}`, caseLabel, container)
	}
	bad := pod(`{name: c, image: "nginx:1", securityContext: {privileged: true}}`)
	require.Eventually(t, func() bool { return create(bad) != nil }, time.Minute, 100*time.Millisecond)
	require.ErrorContains(t, create(bad), `admission webhook "boltseal.example.com" denied the request: H08 privileged: container c: spec.containers[0].securityContext.privileged = true`)
	require.NoError(t, create(pod(`{name: c, image: "nginx:1"}`)))
	require.ErrorContains(t, create(fmt.Sprintf(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: hook, namespace: shop, labels: {%s: webhook}}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}}`, caseLabel)),
		"spec.template.spec.containers[0].image = nginx")

	// For real: created, changed, deleted.
	pods := c.Admin.CoreV1().Pods("shop")
	p, err := pods.Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "hook", Labels: map[string]string{caseLabel: "webhook"}}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "nginx:1"}}}}, metav1.CreateOptions{})
	require.NoError(t, err)
	p.Spec.Containers[0].Image = "nginx:latest"
	_, err = pods.Update(ctx, p, metav1.UpdateOptions{})
	require.ErrorContains(t, err, "I01")
	require.NoError(t, pods.Delete(ctx, p.Name, *metav1.NewDeleteOptions(0)), "a delete carries no object")
}
