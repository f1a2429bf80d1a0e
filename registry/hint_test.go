package registry

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

const secret = "Bearer 0123456789abcdef"

// As Distribution writes them (docs: notifications, "Example").
const distributionEvents = `{"events": [
	{"id": "320678d8", "timestamp": "2016-03-09T14:44:26.402973972-08:00", "action": "push",
	 "target": {"mediaType": "application/vnd.docker.distribution.manifest.v2+json", "digest": "sha256:0", "repository": "hello-world", "tag": "latest", "url": "http://x/v2/hello-world/manifests/sha256:0"},
	 "request": {"host": "192.168.100.227:5000", "method": "PUT"}, "actor": {}, "source": {"addr": "x", "instanceID": "y"}},
	{"action": "pull", "target": {"repository": "pulled"}}, {"action": "delete", "target": {"repository": "team/gone"}}, {"action": "push", "target": {"repository": "hello-world"}}]}`

// As Harbor writes them (docs: configure webhooks).
const harborDefault = `{"type": "PUSH_ARTIFACT", "occur_at": 1680502893, "operator": "harbor-jobservice", "event_data": {
	"resources": [{"digest": "sha256:9", "tag": "latest", "resource_url": "harbor.example.com/project1/alpine:latest"}],
	"repository": {"date_created": 1680502893, "name": "alpine", "namespace": "project1", "repo_full_name": "project1/alpine", "repo_type": "private"}}}`

const harborCloudEvents = `{"specversion": "1.0", "id": "0", "requestid": "1", "source": "/projects/1/webhook/policies/15", "type": "harbor.artifact.pushed", "datacontenttype": "application/json",
	"time": "2023-04-03T06:21:33Z", "data": {"resources": [{"digest": "sha256:9", "tag": "latest"}], "repository": {"name": "alpine", "repo_full_name": "project1/alpine"}}, "operator": "x"}`

func TestHinted(t *testing.T) {
	for _, tt := range []struct {
		body string
		want []string
	}{
		{distributionEvents, []string{"hello-world", "team/gone"}},
		{harborDefault, []string{"project1/alpine"}},
		{harborCloudEvents, []string{"project1/alpine"}},
		{strings.ReplaceAll(harborDefault, "PUSH", "PULL"), nil},
		{strings.ReplaceAll(harborCloudEvents, "pushed", "pulled"), nil},
		{`{"events":[]}`, nil},
	} {
		got, err := hinted([]byte(tt.body))
		require.NoError(t, err)
		require.Equal(t, tt.want, got)
	}
	for _, body := range []string{"", "{}", "[]", "null", `{"events":1}`, `{"event_data":"x"}`, harborDefault + "x", strings.Repeat("[", 100_000)} {
		_, err := hinted([]byte(body))
		require.ErrorIs(t, err, boltseal.ErrMalformed, "%.40s", body)
	}
}

func FuzzHinted(f *testing.F) {
	for _, s := range []string{distributionEvents, harborDefault, harborCloudEvents, `{"events":[]}`, "{}", `{"data":{"repository":{"repo_full_name":"../../x"}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		repos, err := hinted(body)
		seen := map[string]bool{}
		for _, r := range repos {
			require.NotEmpty(t, r)
			require.False(t, seen[r])
			seen[r] = true
		}
		require.True(t, err == nil || repos == nil)
		m := &Monitor{hints: map[hint]bool{}, wake: make(chan struct{}, 1)}
		for _, r := range repos {
			m.Hint("h", r)
		}
		for h := range m.hints { // only what may be a repository's name is ever asked for
			require.NoError(t, checkRepo(h.repo))
		}
	})
}

func TestHintHandler(t *testing.T) {
	hints := map[string]int{}
	h := &hintHandler{HintOptions: HintOptions{Authorization: secret, HMACKey: []byte("a key of 16 bytes")}, hosts: []string{"a", "b"},
		hint: func(host, repo string) { hints[host+"/"+repo]++ }}
	mac := hmac.New(sha256.New, h.HMACKey)
	mac.Write([]byte(harborDefault))
	signature := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	ask := func(method, body string, headers ...string) int {
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	require.Equal(t, 202, ask("POST", distributionEvents, "Authorization", secret))
	require.Equal(t, map[string]int{"a/hello-world": 1, "b/hello-world": 1, "a/team/gone": 1, "b/team/gone": 1}, hints)
	clear(hints)
	require.Equal(t, 202, ask("POST", harborDefault, "X-Hub-Signature-256", signature))
	require.Equal(t, map[string]int{"a/project1/alpine": 1, "b/project1/alpine": 1}, hints)
	clear(hints)
	for _, tt := range [][]string{
		nil, {"Authorization", ""}, {"Authorization", secret + " "}, {"Authorization", strings.ToLower(secret)}, {"Authorization", secret[:20]}, {"Authorization", secret + "0"},
		{"X-Hub-Signature-256", ""}, {"X-Hub-Signature-256", "sha256="}, {"X-Hub-Signature-256", signature[:20]}, {"X-Hub-Signature-256", strings.TrimPrefix(signature, "sha256=")},
		{"X-Hub-Signature", signature}, {"X-Hub-Signature-256", "sha256=" + strings.Repeat("0", 64)},
	} {
		require.Equal(t, 401, ask("POST", harborDefault, tt...), "%v", tt)
	}
	require.Equal(t, 401, ask("POST", distributionEvents, "X-Hub-Signature-256", signature), "a signature of another body")
	require.Equal(t, 405, ask("GET", "", "Authorization", secret))
	require.Equal(t, 400, ask("POST", "{}", "Authorization", secret))
	large := `{"events":[],"x":"` + strings.Repeat("x", 1<<20) + `"}`
	require.Equal(t, 413, ask("POST", large, "Authorization", secret))
	require.Equal(t, 413, ask("POST", large), "a signature is of the whole body, which nobody reads to its end")
	require.Empty(t, hints)

	h.HMACKey = nil
	body := &counting{Reader: bytes.NewReader(make([]byte, 1<<20))}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/", body))
	require.Equal(t, 401, w.Code)
	require.Zero(t, body.n, "what a stranger sends is not read")

	m := &Monitor{MonitorOptions: MonitorOptions{Sources: []Source{{Client: named{host: "x"}}, {Client: named{host: "x"}}, {Client: named{host: "y"}}}}}
	for _, o := range []HintOptions{{}, {Authorization: "short"}, {HMACKey: []byte("short")}, {Authorization: secret, HMACKey: []byte{}}} {
		_, err := m.HintHandler(o)
		if len(o.Authorization) < minHintKey {
			require.ErrorIs(t, err, boltseal.ErrMalformed, fmt.Sprint(o))
		}
	}
	handler, err := m.HintHandler(HintOptions{Authorization: secret})
	require.NoError(t, err)
	require.Equal(t, []string{"x", "y"}, handler.(*hintHandler).hosts)
}

type counting struct {
	*bytes.Reader
	n int
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += n
	return n, err
}

// named is a Client that is asked for nothing but its name.
type named struct {
	Client
	host string
}

func (n named) Host() string { return n.host }
