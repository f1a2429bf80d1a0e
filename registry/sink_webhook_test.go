package registry_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func webhook(t testing.TB, address string, o registry.WebhookOptions) *registry.Webhook {
	t.Helper()
	if o.Allow == nil {
		o.Allow = loopback
	}
	if o.Wait == 0 {
		o.Wait, o.MaxWait = time.Millisecond, 5*time.Millisecond
	}
	w, err := registry.NewWebhook(address, &o)
	require.NoError(t, err)
	return w
}

func message(n int) *registry.Message {
	return &registry.Message{ID: fmt.Sprint("id", n), Sequence: uint64(n), Type: registry.ImageNew, Time: time.Unix(1_800_000_000, 0), Reference: "r/x:1"}
}

// openssl computes the HMAC that a receiver expects, with code of others.
func openssl(t *testing.T, key []byte, text string) string {
	t.Helper()
	cmd := exec.Command("openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:"+hex.EncodeToString(key), "-binary")
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.Output()
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(out)
}

func TestWebhook(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl to check the signatures with")
	}
	next, old := bytes.Repeat([]byte("n"), 24), bytes.Repeat([]byte("o"), 32)
	type request struct {
		header http.Header
		body   string
	}
	got := make(chan request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && r.Method == http.MethodPost && r.URL.Path == "/in" {
			got <- request{r.Header, string(body)}
		}
	}))
	t.Cleanup(server.Close)
	w := webhook(t, server.URL+"/in", registry.WebhookOptions{Source: "urn:test", Header: http.Header{"x-team": {"shop"}},
		Secrets: []string{"whsec_" + base64.StdEncoding.EncodeToString(next), base64.StdEncoding.EncodeToString(old)}})
	require.NoError(t, w.Send(t.Context(), message(7)))
	r := <-got
	require.Equal(t, "application/cloudevents+json; charset=UTF-8", r.header.Get("Content-Type"))
	require.Equal(t, "shop", r.header.Get("X-Team"))
	require.Equal(t, "id7", r.header.Get("webhook-id"))
	stamp := r.header.Get("webhook-timestamp")
	n, err := strconv.ParseInt(stamp, 10, 64)
	require.NoError(t, err)
	require.InDelta(t, time.Now().Unix(), n, 60)
	signed := "id7." + stamp + "." + r.body
	require.Equal(t, "v1,"+openssl(t, next, signed)+" v1,"+openssl(t, old, signed), r.header.Get("webhook-signature"))
	var ce map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.body), &ce))
	data := ce["data"].(map[string]any)
	delete(ce, "data")
	require.Equal(t, map[string]any{"specversion": "1.0", "id": "id7", "source": "urn:test", "type": "io.boltseal.registry.image.new", "subject": "r/x:1",
		"time": "2027-01-15T08:00:00Z", "datacontenttype": "application/json", "sequence": "00000000000000000007"}, ce)
	require.Equal(t, "id7", data["id"])
	require.EqualValues(t, 7, data["sequence"])

	w = webhook(t, server.URL+"/in", registry.WebhookOptions{})
	require.NoError(t, w.Send(t.Context(), message(8)))
	require.Empty(t, (<-got).header.Get("webhook-signature"))
}

// TestWebhookFails has a receiver fail in every way that passes.
func TestWebhookFails(t *testing.T) {
	var mu sync.Mutex
	asked, delivered := 0, map[string]int{}
	fails := []func(w http.ResponseWriter, r *http.Request){
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) },
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) },
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) },
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
		func(w http.ResponseWriter, r *http.Request) { // the connection breaks
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = c.Close()
			}
		},
		func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, // it hangs
		func(w http.ResponseWriter, _ *http.Request) { // an answer that never ends
			w.WriteHeader(500)
			for range 1000 {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		},
		func(w http.ResponseWriter, _ *http.Request) { // no HTTP at all
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(c, "220 smtp.example.com ESMTP\r\n")
				_ = c.Close()
			}
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then is a lost connection noticed
		mu.Lock()
		n := asked
		asked++
		mu.Unlock()
		if r.URL.Path != "/in" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		if n < len(fails) {
			fails[n](w, r)
			return
		}
		mu.Lock()
		delivered[r.Header.Get("webhook-id")]++
		mu.Unlock()
	}))
	t.Cleanup(server.Close)
	var failures []string
	w := webhook(t, server.URL+"/in?token=secret", registry.WebhookOptions{Timeout: 200 * time.Millisecond,
		Failed: func(m *registry.Message, try int, _ time.Duration, err error) {
			require.Equal(t, len(failures)+1, try)
			failures = append(failures, err.Error())
		}})
	require.NoError(t, w.Send(t.Context(), message(1)))
	require.NoError(t, w.Send(t.Context(), message(2)))
	require.Equal(t, map[string]int{"id1": 1, "id2": 1}, delivered)
	require.Len(t, failures, len(fails))
	require.NotContains(t, strings.Join(failures, "\n"), "secret", "addresses of webhooks are secrets")
	require.Contains(t, failures[5], "give the new address")
}

func TestWebhookGone(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); w.WriteHeader(http.StatusGone) }))
	t.Cleanup(server.Close)
	w := webhook(t, server.URL, registry.WebhookOptions{})
	for range 3 {
		require.ErrorIs(t, w.Send(t.Context(), message(1)), registry.ErrSinkGone)
	}
	require.EqualValues(t, 1, asked.Load(), "it is not asked again")
	err := registry.Deliver(t.Context(), eventful(t, 1), "x", w, nil)
	require.ErrorIs(t, err, registry.ErrSinkGone)
}

func TestWebhookGivesUp(t *testing.T) {
	var after atomic.Value
	after.Store("")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", after.Load().(string))
		w.WriteHeader(500)
		_, _ = io.WriteString(w, "out of \x1b[31morder")
	}))
	t.Cleanup(server.Close)
	err := webhook(t, server.URL, registry.WebhookOptions{GiveUp: 50 * time.Millisecond}).Send(t.Context(), message(1))
	require.ErrorIs(t, err, registry.ErrRejected)
	require.ErrorContains(t, err, `answers 500: "out of \x1b[31morder"`)
	for _, s := range []string{"3600", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)} {
		after.Store(s)
		err = webhook(t, server.URL, registry.WebhookOptions{GiveUp: time.Minute}).Send(t.Context(), message(1))
		require.ErrorIs(t, err, registry.ErrRejected)
		require.ErrorContains(t, err, "after 1 tries", "the receiver asks for more time than there is")
	}
	after.Store("")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	start := time.Now()
	err = webhook(t, server.URL, registry.WebhookOptions{Wait: time.Hour}).Send(ctx, message(1))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(start), 5*time.Second)
}

// TestWebhookAddresses tries addresses that a webhook must not reach: the
// server listens on them, and hears nothing.
func TestWebhookAddresses(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1.2.3"} {
		w, err := registry.NewWebhook("http://"+net.JoinHostPort(strings.Trim(host, "[]"), u.Port()), &registry.WebhookOptions{GiveUp: time.Millisecond})
		require.NoError(t, err)
		err = w.Send(t.Context(), message(1))
		require.ErrorIs(t, err, fs.ErrPermission, host)
		require.ErrorIs(t, err, registry.ErrRejected)
	}
	for _, host := range []string{"169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "[fe80::1]", "[fd00:ec2::254]", "[::1]", "[::]", "224.0.0.1", "255.255.255.255",
		"[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[::ffff:169.254.169.254]", "[::7f00:1]", "198.18.0.1"} {
		w, err := registry.NewWebhook("https://"+host+"/", &registry.WebhookOptions{GiveUp: time.Millisecond, Timeout: 2 * time.Second})
		require.NoError(t, err)
		require.ErrorIs(t, w.Send(t.Context(), message(1)), fs.ErrPermission, host)
	}
	w, err := registry.NewWebhook("http://192.0.32.10/", &registry.WebhookOptions{GiveUp: time.Millisecond}) // public
	require.NoError(t, err)
	require.ErrorContains(t, w.Send(t.Context(), message(1)), "without TLS")
	require.Zero(t, asked.Load())
	require.NoError(t, webhook(t, server.URL, registry.WebhookOptions{}).Send(t.Context(), message(1)), "unless it is allowed")
	require.EqualValues(t, 1, asked.Load())

	for _, address := range []string{"", "ftp://x/", "https://", "https://%zz", "x", "https:///path"} {
		_, err := registry.NewWebhook(address, nil)
		require.ErrorIs(t, err, boltseal.ErrMalformed, address)
	}
	for _, secret := range []string{"", "whsec_", "whsec_c2hvcnQ=", "not base64!" + strings.Repeat("x", 40)} {
		_, err := registry.NewWebhook("https://x/", &registry.WebhookOptions{Secrets: []string{secret}})
		require.ErrorIs(t, err, boltseal.ErrMalformed)
		require.NotContains(t, err.Error(), "xxxx")
	}
}

// TestWebhookDelivers has a receiver that fails two times out of three: what
// arrives is everything, in order.
func TestWebhookDelivers(t *testing.T) {
	s := eventful(t, 40)
	var mu sync.Mutex
	var got []string
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if n++; n%3 != 0 {
			w.WriteHeader(500)
			return
		}
		var ce struct{ Sequence string }
		if json.NewDecoder(r.Body).Decode(&ce) == nil {
			got = append(got, ce.Sequence)
		}
	}))
	t.Cleanup(server.Close)
	stop := deliver(t, s, "hook", webhook(t, server.URL, registry.WebhookOptions{}), nil)
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(got) == 40 }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, stop())
	for i, seq := range got {
		require.Equal(t, fmt.Sprintf("%020d", i+1), seq)
	}
}
