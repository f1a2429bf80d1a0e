package registry

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/boltseal/boltseal"
)

// WebhookOptions are the settings of [NewWebhook]. Nil and the zero value are
// ready to use.
type WebhookOptions struct {
	// Secrets sign each request, by Standard Webhooks 1.0: base64 of at least 24
	// bytes, with or without the prefix whsec_. While a secret is changed, both
	// are given; the receiver takes either. None means no signature.
	Secrets []string
	// Source is the CloudEvents attribute: who speaks. Default: "boltseal".
	Source string
	// Header is added to each request: what the receiver wants to see beside
	// the signature.
	Header http.Header
	// Allow are networks that the receiver may lie in although they are not
	// public: private, shared, loopback, link-local addresses. Without TLS it
	// may only lie in these.
	Allow []netip.Prefix
	// Timeout bounds one request; 0 means 30 seconds.
	Timeout time.Duration
	// Wait is the time after the first failure, which doubles from one to the
	// next up to MaxWait, each less a random part. 0 means 1 second, and 10
	// minutes. A longer Retry-After is obeyed, up to an hour.
	Wait, MaxWait time.Duration
	// GiveUp is how long one message is tried before it is rejected; 0 means 3
	// days.
	GiveUp time.Duration
	// Failed, if set, is told of each failure: for logs and metrics.
	Failed func(m *Message, try int, next time.Duration, err error)
	// RoundTripper makes the requests. If set, where it connects to is its own
	// affair, and Allow only decides on plain HTTP.
	RoundTripper http.RoundTripper
}

// Webhook is a [Sink] that posts each message as a CloudEvent (CloudEvents 1.0.2,
// HTTP binding, structured mode), whose data is the [Message]. The headers
// webhook-id, webhook-timestamp and webhook-signature are those of Standard
// Webhooks 1.0: the receiver checks the signature, refuses old timestamps, and
// ignores an ID that it knows.
//
// A message is delivered when the receiver answers 2xx. The status 410 says that
// it wants no more: from then on Send returns [ErrSinkGone]. All else is tried
// again. Redirects are not followed, proxies are not used, and addresses that are
// not public are refused unless they are allowed.
type Webhook struct {
	WebhookOptions
	url    *url.URL
	keys   [][]byte
	client *http.Client
	gone   atomic.Bool
}

const minSecret = 24 // bytes; Standard Webhooks, "Symmetric"

// NewWebhook returns a sink that posts to a URL. No request is made yet.
func NewWebhook(address string, o *WebhookOptions) (*Webhook, error) {
	w := &Webhook{}
	if o != nil {
		w.WebhookOptions = *o
	}
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" {
		return nil, fmt.Errorf("webhook: %w: want the address as https://host/path", boltseal.ErrMalformed) // which may hold a secret
	}
	w.url = u
	for _, s := range w.Secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, "whsec_"))
		if err != nil || len(key) < minSecret {
			return nil, fmt.Errorf("webhook: %w: a secret is base64 of at least %d bytes, as of: openssl rand -base64 32", boltseal.ErrMalformed, minSecret)
		}
		w.keys = append(w.keys, key)
	}
	if w.Source == "" {
		w.Source = "boltseal"
	}
	for _, d := range []struct {
		of *time.Duration
		is time.Duration
	}{{&w.Timeout, 30 * time.Second}, {&w.Wait, time.Second}, {&w.MaxWait, 10 * time.Minute}, {&w.GiveUp, 3 * 24 * time.Hour}} {
		if *d.of <= 0 {
			*d.of = d.is
		}
	}
	transport := w.RoundTripper
	if transport == nil {
		transport = guardedTransport(u.Scheme == "https", w.Allow)
	} else if u.Scheme == "http" {
		if ip, err := netip.ParseAddr(u.Hostname()); err != nil || !allowed(ip, w.Allow) {
			return nil, fmt.Errorf("webhook: %s without TLS: %w: give the address of an allowed network", u.Host, boltseal.ErrMalformed)
		}
	}
	w.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return w, nil
}

// cloudEvent is the structured form (CloudEvents 1.0.2, "JSON Event Format").
// Sequence is that of the extension of the same name: strings in order.
type cloudEvent struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            EventType `json:"type"`
	Subject         string    `json:"subject,omitempty"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Sequence        string    `json:"sequence"`
	Data            *Message  `json:"data"`
}

// Send implements [Sink].
func (w *Webhook) Send(ctx context.Context, m *Message) error {
	subject := m.Reference
	if subject == "" {
		subject = m.Rule
	}
	body, err := json.Marshal(cloudEvent{"1.0", m.ID, w.Source, m.Type, subject, m.Time.UTC(), "application/json", fmt.Sprintf("%020d", m.Sequence), m})
	if err != nil {
		return err
	}
	start := time.Now()
	wait := w.Wait
	for try := 1; ; try++ {
		if w.gone.Load() {
			return fmt.Errorf("webhook %s: %w", w.url.Host, ErrSinkGone)
		}
		after, err := w.post(ctx, m.ID, body)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrSinkGone):
			w.gone.Store(true)
			return err
		}
		pause := max(after, wait/2+rand.N(wait/2+1))
		wait = min(2*wait, max(w.MaxWait, w.Wait))
		if time.Since(start)+pause > w.GiveUp {
			return fmt.Errorf("%w after %d tries: %w", ErrRejected, try, err)
		}
		if w.Failed != nil {
			w.Failed(m, try, pause, err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// post makes one request. After is how long the receiver asks to be left alone.
func (w *Webhook) post(ctx context.Context, id string, body []byte) (after time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url.String(), bytes.NewReader(body))
	if err != nil {
		return 0, w.without(err)
	}
	for k, v := range w.Header {
		req.Header[http.CanonicalHeaderKey(k)] = v
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/cloudevents+json; charset=UTF-8")
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", stamp)
	if len(w.keys) > 0 {
		req.Header.Set("Webhook-Signature", w.sign(id, stamp, body))
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return 0, w.without(err)
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // the status decides
	switch code := resp.StatusCode; {
	case code/100 == 2:
		return 0, nil
	case code == http.StatusGone:
		return 0, fmt.Errorf("webhook %s answers 410: %w", w.url.Host, ErrSinkGone)
	case code/100 == 3:
		err = fmt.Errorf("webhook %s answers %d: it wants to send the messages elsewhere, which is not followed: give the new address", w.url.Host, code)
	default:
		err = fmt.Errorf("webhook %s answers %d: %.200q", w.url.Host, code, said)
	}
	return min(retryAfter(resp.Header.Get("Retry-After"), time.Now()), time.Hour), err
}

// without takes the address off an error: its path may be a secret.
func (w *Webhook) without(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("webhook %s: %w", w.url.Host, err)
}

// sign returns one signature for each key, over id.timestamp.body (Standard
// Webhooks 1.0, "Signature scheme").
func (w *Webhook) sign(id, stamp string, body []byte) string {
	var list []string
	for _, key := range w.keys {
		h := hmac.New(sha256.New, key)
		_, _ = io.WriteString(h, id+"."+stamp+".") // a hash takes all
		_, _ = h.Write(body)
		list = append(list, "v1,"+base64.StdEncoding.EncodeToString(h.Sum(nil)))
	}
	return strings.Join(list, " ")
}

// retryAfter reads seconds or a date (RFC 9110 section 10.2.3); 0 if it is neither.
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return time.Duration(min(n, 1<<20)) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}
