package orchestrator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/orchestrator"
)

func raw(t testing.TB, manifest string) runtime.RawExtension {
	data, err := yaml.YAMLToJSON([]byte(manifest))
	require.NoError(t, err)
	return runtime.RawExtension{Raw: data}
}

func podReview(t testing.TB, op admissionv1.Operation, now, old string) *admissionv1.AdmissionReview {
	r := &admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID: types.UID("705ab4f5-6393-11e8-b7cc-42010a800002"), Operation: op, Namespace: "shop", Name: "p",
			Kind: metav1.GroupVersionKind{Version: "v1", Kind: "Pod"}, Resource: metav1.GroupVersionResource{Version: "v1", Resource: "pods"},
		},
	}
	if now != "" {
		r.Request.Object = raw(t, now)
	}
	if old != "" {
		r.Request.OldObject = raw(t, old)
	}
	return r
}

func admission(t testing.TB, o orchestrator.AdmissionOptions) *orchestrator.Admission {
	if o.OnError == 0 {
		o.OnError = orchestrator.Deny
	}
	a, err := orchestrator.NewAdmission(o)
	require.NoError(t, err)
	return a
}

func checks(t testing.TB, names ...string) []*orchestrator.Check {
	c, err := orchestrator.SelectChecks(names...)
	require.NoError(t, err)
	return c
}

// post sends a review and returns the response.
func post(t testing.TB, h http.Handler, review *admissionv1.AdmissionReview) *admissionv1.AdmissionResponse {
	body, err := json.Marshal(review)
	require.NoError(t, err)
	req := httptest.NewRequest(http.MethodPost, "/?timeout=5s", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	var out admissionv1.AdmissionReview
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out))
	require.Equal(t, review.Request.UID, out.Response.UID)
	require.Equal(t, "admission.k8s.io/v1", out.APIVersion)
	return out.Response
}

const (
	podOf      = `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop}, spec: {containers: [%s]}}`
	privileged = `{name: c, image: i, securityContext: {privileged: true}}`
	plain      = `{name: c, image: i}`
)

func TestAdmission(t *testing.T) {
	a := admission(t, orchestrator.AdmissionOptions{Checks: checks(t, "H08"), Warn: checks(t, "W14")})
	r := post(t, a, podReview(t, admissionv1.Create, fmt.Sprintf(podOf, privileged), ""))
	require.False(t, r.Allowed)
	require.Equal(t, "H08 privileged: container c: spec.containers[0].securityContext.privileged = true", r.Result.Message)
	require.EqualValues(t, 403, r.Result.Code)

	require.True(t, post(t, a, podReview(t, admissionv1.Create, fmt.Sprintf(podOf, plain), "")).Allowed)

	shared := strings.Replace(fmt.Sprintf(podOf, plain), "spec: {", "spec: {shareProcessNamespace: true, ", 1)
	r = post(t, a, podReview(t, admissionv1.Create, shared, ""))
	require.True(t, r.Allowed)
	require.Equal(t, []string{"W14 containers share one process namespace: spec.shareProcessNamespace = true"}, r.Warnings)

	for _, op := range []admissionv1.Operation{admissionv1.Delete, admissionv1.Connect} {
		require.True(t, post(t, a, podReview(t, op, "", "")).Allowed, op)
	}
}

func TestAdmissionUpdateJudgesWhatIsNew(t *testing.T) {
	a := admission(t, orchestrator.AdmissionOptions{Checks: checks(t, "H08")})
	old := fmt.Sprintf(podOf, privileged)
	require.True(t, post(t, a, podReview(t, admissionv1.Update, old, old)).Allowed, "what is there may stay")
	moved := fmt.Sprintf(podOf, `{name: first, image: i}, `+privileged)
	require.True(t, post(t, a, podReview(t, admissionv1.Update, moved, old)).Allowed, "at another index")
	worse := fmt.Sprintf(podOf, privileged+`, {name: d, image: i, securityContext: {privileged: true}}`)
	r := post(t, a, podReview(t, admissionv1.Update, worse, old))
	require.False(t, r.Allowed)
	require.NotContains(t, r.Result.Message, "container c:")
	require.Contains(t, r.Result.Message, "container d:")
}

func TestAdmissionOnError(t *testing.T) {
	boom := &orchestrator.Check{ID: "boom", Judges: checks(t, "W01")[0].Judges, Judge: func(*orchestrator.Pass) { panic("hunter2") }}
	unknown := &orchestrator.Check{ID: "unknown", Judges: boom.Judges, Judge: func(p *orchestrator.Pass) { p.Unknown("nobody knows") }}
	stuck := &orchestrator.Check{ID: "stuck", Judges: boom.Judges, Judge: func(*orchestrator.Pass) { time.Sleep(time.Second) }}
	good := fmt.Sprintf(podOf, plain)
	for _, c := range []struct {
		name  string
		check *orchestrator.Check
		pod   string
		want  string
	}{
		{"panic", boom, good, "a check failed"},
		{"unknown", unknown, good, "nobody knows"},
		{"deadline", stuck, good, "not judged in time"},
		{"decode", boom, `{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: hunter2}}`, "does not decode as Pod"},
		{"no object", boom, "", "no object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, on := range []orchestrator.OnError{orchestrator.Allow, orchestrator.Deny} {
				a := admission(t, orchestrator.AdmissionOptions{Checks: []*orchestrator.Check{c.check}, OnError: on, Timeout: 300 * time.Millisecond})
				r := post(t, a, podReview(t, admissionv1.Create, c.pod, ""))
				require.Equal(t, on == orchestrator.Allow, r.Allowed)
				text := strings.Join(r.Warnings, "")
				if on == orchestrator.Deny {
					text = r.Result.Message
				}
				require.Contains(t, text, c.want)
				require.NotContains(t, text, "hunter2")
			}
		})
	}
	_, err := orchestrator.NewAdmission(orchestrator.AdmissionOptions{})
	require.ErrorContains(t, err, "choose OnError")
	_, err = orchestrator.NewAdmission(orchestrator.AdmissionOptions{OnError: orchestrator.Deny, Checks: checks(t, "I07")})
	require.ErrorContains(t, err, "Verifier")
}

func TestAdmissionHTTP(t *testing.T) {
	a := admission(t, orchestrator.AdmissionOptions{Checks: checks(t, "H08")})
	review, err := json.Marshal(podReview(t, admissionv1.Create, fmt.Sprintf(podOf, plain), ""))
	require.NoError(t, err)
	for _, c := range []struct {
		name, method, media, body string
		code                      int
	}{
		{"another method", http.MethodGet, "application/json", "", http.StatusMethodNotAllowed},
		{"another media type", http.MethodPost, "application/yaml", string(review), http.StatusUnsupportedMediaType},
		{"no JSON", http.MethodPost, "application/json", "{", http.StatusBadRequest},
		{"no uid", http.MethodPost, "application/json", `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{}}`, http.StatusBadRequest},
		{"no request", http.MethodPost, "application/json", `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}`, http.StatusBadRequest},
		{"old version", http.MethodPost, "application/json", strings.Replace(string(review), "admission.k8s.io/v1", "admission.k8s.io/v1beta1", 1), http.StatusBadRequest},
		{"too large", http.MethodPost, "application/json", strings.Repeat(" ", orchestrator.MaxAdmissionBytes) + string(review), http.StatusRequestEntityTooLarge},
		{"charset", http.MethodPost, "application/json; charset=utf-8", string(review), http.StatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := httptest.NewRequest(c.method, "/", strings.NewReader(c.body))
			req.Header.Set("Content-Type", c.media)
			w := httptest.NewRecorder()
			a.ServeHTTP(w, req)
			require.Equal(t, c.code, w.Code, w.Body.String())
		})
	}
}

// slowVerifier answers when its context ends.
type slowVerifier struct{ left *time.Duration }

func (v slowVerifier) VerifyImage(ctx context.Context, _ string) (boltseal.Verdict, string) {
	deadline, _ := ctx.Deadline()
	*v.left = time.Until(deadline)
	return boltseal.VerdictUnknown, "no answer"
}

func TestAdmissionDeadline(t *testing.T) {
	for _, c := range []struct {
		query   string
		timeout time.Duration
		most    time.Duration
	}{
		{"?timeout=2s", 0, 1800 * time.Millisecond}, // the API server's, less a tenth
		{"?timeout=30s", time.Second, time.Second},  // the option is less
		{"?timeout=-5s", time.Second, time.Second},  // nonsense counts for nothing
		{"?timeout=later", time.Second, time.Second},
	} {
		var left time.Duration
		a := admission(t, orchestrator.AdmissionOptions{Checks: checks(t, "I07"), Timeout: c.timeout, Posture: &orchestrator.PostureOptions{Verifier: slowVerifier{&left}}})
		body, err := json.Marshal(podReview(t, admissionv1.Create, fmt.Sprintf(podOf, plain), ""))
		require.NoError(t, err)
		req := httptest.NewRequest(http.MethodPost, "/"+c.query, bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		a.ServeHTTP(httptest.NewRecorder(), req)
		require.LessOrEqual(t, left, c.most, c.query)
		require.Greater(t, left, c.most/2, c.query)
	}
}

func TestAdmissionImageTrust(t *testing.T) {
	trust := signatures{map[string]int{}}
	a := admission(t, orchestrator.AdmissionOptions{Checks: checks(t, "I07"), Posture: &orchestrator.PostureOptions{Verifier: trust}})
	for image, want := range map[string]bool{"registry.example.com/signed:1": true, "registry.example.com/unsigned:1": false, "registry.example.com/other:1": false} {
		pod := fmt.Sprintf(podOf, `{name: c, image: "`+image+`"}, {name: d, image: "`+image+`"}`)
		require.Equal(t, want, post(t, a, podReview(t, admissionv1.Create, pod, "")).Allowed, image)
		require.Equal(t, 1, trust.asked[image], "asked once")
	}
}

func TestWaivers(t *testing.T) {
	good := "- {check: H08, namespace: 'kube-*', name: cni, reason: the network plugin, owner: net, expires: 2026-11-30}\n"
	list, err := orchestrator.ReadWaivers(strings.NewReader(good))
	require.NoError(t, err)
	require.Len(t, list, 1)
	for _, bad := range []string{
		"- {check: H08, expires: 2026-11-30}",
		"- {check: H08, reason: '  ', expires: 2026-11-30}",
		"- {check: H08, reason: r}",
		"- {check: H08, reason: r, expires: soon}",
		"- {check: H08, reason: r, expires: 2026-02-30}",
		"- {check: Z99, reason: r, expires: 2026-11-30}",
		"- {check: H08, reason: r, expires: 2026-11-30, until: x}",
		"- {check: H08, reason: r, expires: 2026-11-30, name: '['}",
		"waivers: [{check: H08}]",
		"- [",
	} {
		_, err := orchestrator.ReadWaivers(strings.NewReader(bad))
		require.ErrorIs(t, err, boltseal.ErrMalformed, bad)
	}
	_, err = orchestrator.ReadWaivers(strings.NewReader(strings.Repeat("#\n", 3<<20)))
	require.ErrorIs(t, err, boltseal.ErrLimit)

	s := fixture{yaml: []byte(strings.ReplaceAll(strings.ReplaceAll(fmt.Sprintf(podOf, privileged), "shop", "kube-net"), "name: p,", "name: cni,"))}
	judge := func(day time.Time) []orchestrator.Result {
		o := fixtureOptions("H08")
		o.Waivers, o.Now = list, day
		return results(t, s.load(t), o)
	}
	last := time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC)
	all := judge(last)
	require.Len(t, all, 1)
	require.Equal(t, boltseal.VerdictFail, all[0].Verdict)
	require.Equal(t, "the network plugin", all[0].Waiver.Reason)
	require.Equal(t, "waived until 2026-11-30: the network plugin", all[0].Finding().Suppressed)

	all = judge(last.Add(time.Minute))
	require.Len(t, all, 2, "the violation, and the waiver that no longer holds")
	require.Nil(t, all[0].Waiver)
	require.Empty(t, all[0].Finding().Suppressed)
	require.Equal(t, "waiver-expired", all[1].Check.ID)
	require.Equal(t, boltseal.VerdictFail, all[1].Verdict)
}

func TestVAPUnsupported(t *testing.T) {
	_, _, err := orchestrator.VAP(checks(t, "R01")[0], nil)
	require.True(t, errors.Is(err, errors.ErrUnsupported))
	_, _, err = orchestrator.VAP(checks(t, "I03")[0], nil)
	require.ErrorContains(t, err, "Registries")
}

func FuzzAdmission(f *testing.F) {
	a, err := orchestrator.NewAdmission(orchestrator.AdmissionOptions{
		OnError: orchestrator.Deny, Timeout: 5 * time.Second, Checks: orchestratorChecks(),
		Posture: &orchestrator.PostureOptions{Secrets: finder{}, Registries: []string{"registry.example.com"}},
	})
	require.NoError(f, err)
	for _, x := range []string{fmt.Sprintf(podOf, privileged), plainPod, `{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {volumes: [{name: v, hostPath: {path: "/../etc"}}]}}`} {
		now := raw(f, x)
		f.Add("", "v1", "Pod", "CREATE", now.Raw, []byte(nil))
		f.Add("", "v1", "Pod", "UPDATE", now.Raw, now.Raw)
	}
	f.Add("apps", "v1", "Deployment", "CREATE", []byte(`{"spec":{"template":{"spec":{"containers":[{}]}}},"metadata":{"name":"x"}}`), []byte(nil))
	f.Add("batch", "v1", "CronJob", "CREATE", []byte(`{"metadata":{"generateName":"x"}}`), []byte("null"))
	f.Add("", "v1", "Service", "UPDATE", []byte(`{"metadata":{"name":"x"},"spec":{"type":"LoadBalancer"}}`), []byte("[]"))
	f.Add("", "v1", "List", "CREATE", []byte(`{"items":[{"kind":"Pod"}]}`), []byte("{"))
	f.Fuzz(func(t *testing.T, group, version, kind, op string, now, old []byte) {
		r := a.Review(t.Context(), &admissionv1.AdmissionRequest{
			UID: "u", Operation: admissionv1.Operation(op), Namespace: "shop",
			Kind:   metav1.GroupVersionKind{Group: group, Version: version, Kind: kind},
			Object: runtime.RawExtension{Raw: now}, OldObject: runtime.RawExtension{Raw: old},
		})
		require.EqualValues(t, "u", r.UID)
		if r.Result != nil {
			require.NotContains(t, r.Result.Message, "a check failed", "a panic")
			require.LessOrEqual(t, len(r.Result.Message), 4096)
		}
		for _, w := range r.Warnings {
			require.LessOrEqual(t, len(w), 256)
		}
	})
}

// orchestratorChecks are all that look at one object.
func orchestratorChecks() (list []*orchestrator.Check) {
	for _, c := range orchestrator.Checks() {
		if c.Needs != "Verifier" {
			list = append(list, c)
		}
	}
	return list
}

func BenchmarkAdmission(b *testing.B) {
	a := admission(b, orchestrator.AdmissionOptions{})
	review := podReview(b, admissionv1.Create, fmt.Sprintf(podOf, privileged), "")
	b.ReportAllocs()
	for b.Loop() {
		a.Review(b.Context(), review.Request)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reviews/s")
}
