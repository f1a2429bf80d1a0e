package kube

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/orchestrator"
)

// What a healthy server does not do on demand; the rest is tested against a real
// one, in internal/kubetest.
func TestListAnswers(t *testing.T) {
	item := `{"metadata":{"name":"%s"}}`
	page := func(cont string, names ...string) string {
		var items []string
		for _, n := range names {
			items = append(items, fmt.Sprintf(item, n))
		}
		return `{"kind":"NamespaceList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"` + cont + `"},"items":[` + strings.Join(items, ",") + `]}`
	}
	gone := false
	for name, c := range map[string]struct {
		answer func(cont string) (int, string)
		state  orchestrator.CoverageState
		names  int
		err    error
	}{
		"pages": {func(cont string) (int, string) {
			if cont == "" {
				return 200, page("x", "a", "b")
			}
			return 200, page("", "c")
		}, orchestrator.Listed, 3, nil},
		"gone, then listed again": {func(cont string) (int, string) {
			if cont == "x" && !gone {
				gone = true
				return 410, `{"kind":"Status","code":410,"message":"too old"}`
			}
			if cont == "" {
				return 200, page("x", "a")
			}
			return 200, page("", "b")
		}, orchestrator.Listed, 2, nil},
		"always gone": {func(cont string) (int, string) { return 410, "" }, orchestrator.Failed, 0, nil},
		"forbidden":   {func(string) (int, string) { return 403, `{"message":"no"}` }, orchestrator.Forbidden, 0, nil},
		"stranger":    {func(string) (int, string) { return 401, `{"message":"who"}` }, orchestrator.Failed, 0, nil},
		"not served":  {func(string) (int, string) { return 404, "404 page not found" }, orchestrator.NotServed, 0, nil},
		"breaks off":  {func(string) (int, string) { return 200, `{"items":[{"metadata":` }, orchestrator.Failed, 0, boltseal.ErrMalformed},
		"too large":   {func(string) (int, string) { return 200, page("", strings.Repeat("a", 5000)) }, orchestrator.Failed, 0, boltseal.ErrLimit},
		"endless":     {func(string) (int, string) { return 200, page("x", "a", "b", "c") }, orchestrator.Truncated, 3, boltseal.ErrLimit},
		"bad object": {func(string) (int, string) {
			return 200, `{"metadata":{},"items":[{"metadata":{"name":7}},{"metadata":{"name":"a"}}]}`
		}, orchestrator.Failed, 1, boltseal.ErrMalformed},
		"overloaded": {func(string) (int, string) { return 500, "" }, orchestrator.Failed, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/api/v1/namespaces" {
					http.NotFound(w, r)
					return
				}
				code, body := c.answer(r.URL.Query().Get("continue"))
				w.WriteHeader(code)
				fmt.Fprint(w, body)
			}))
			defer srv.Close()
			s, err := Snapshot(context.Background(), &rest.Config{Host: srv.URL}, &Options{PageBytes: 4096, Objects: 10})
			got := s.Coverage(schema.GroupResource{Resource: "namespaces"}, "")
			require.Equal(t, c.state, got.State, got.Reason)
			require.Len(t, s.Namespaces, c.names)
			switch {
			case c.err != nil:
				require.ErrorIs(t, err, c.err)
			case c.state == orchestrator.Failed:
				require.Error(t, err)
			default:
				require.NoError(t, err)
			}
			if c.state == orchestrator.Listed {
				require.Equal(t, "7", got.ResourceVersion)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }))
	defer srv.Close()
	_, err := Snapshot(ctx, &rest.Config{Host: srv.URL}, nil)
	require.ErrorIs(t, err, context.Canceled)
	for range Watch(ctx, &rest.Config{Host: srv.URL}, nil) {
		t.Fatal("yields after the end")
	}
}
