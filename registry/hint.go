package registry

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// HintOptions are the settings of [Monitor.HintHandler]. One of Authorization
// and HMACKey is required; of both, either opens.
type HintOptions struct {
	// Authorization is the exact value of the header of that name, which
	// Distribution ("headers") and Harbor ("auth header") send: "Bearer …".
	Authorization string
	// HMACKey signs the body with SHA-256 in the header X-Hub-Signature-256, as
	// sha256=hex: the form of GitHub and those who follow it.
	HMACKey []byte
	// Host is the registry that the notifications come from, as its source has
	// it. Empty: a repository of that name is looked at in every source.
	Host string
}

const (
	maxHintBytes = 1 << 20
	minHintKey   = 16 // bytes of a secret that nobody guesses
)

// HintHandler returns a handler of the notifications that registries push, so
// that a change is seen at once: CNCF Distribution's (registry.events.v2+json),
// and Harbor's webhooks in both of their forms. From a notification that has the
// secret it takes the names of repositories and nothing else, and looks at them
// (see [Monitor.Hint]): a lie costs a look.
//
// It answers 202; 401 without the secret; 405, 413 (more than a mebibyte) and 400
// for what is no notification.
func (m *Monitor) HintHandler(o HintOptions) (http.Handler, error) {
	if o.Authorization == "" && len(o.HMACKey) == 0 {
		return nil, fmt.Errorf("hints: %w: they need a secret", boltseal.ErrMalformed)
	}
	if o.Authorization != "" && len(o.Authorization) < minHintKey || o.HMACKey != nil && len(o.HMACKey) < minHintKey {
		return nil, fmt.Errorf("hints: %w: a secret has at least %d bytes", boltseal.ErrMalformed, minHintKey)
	}
	hosts := []string{o.Host}
	if o.Host == "" {
		hosts = nil
		for _, s := range m.Sources {
			if h := s.Client.Host(); !slices.Contains(hosts, h) {
				hosts = append(hosts, h)
			}
		}
	}
	return &hintHandler{HintOptions: o, hint: m.Hint, hosts: hosts}, nil
}

type hintHandler struct {
	HintOptions
	hint  func(host, repo string)
	hosts []string
}

// ServeHTTP implements [http.Handler].
func (h *hintHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "a notification is posted", http.StatusMethodNotAllowed)
		return
	}
	known := h.Authorization != "" && same(r.Header.Get("Authorization"), h.Authorization)
	if !known && len(h.HMACKey) == 0 {
		h.refuse(w) // without reading what a stranger sends
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHintBytes))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		http.Error(w, "a notification has at most a mebibyte", http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		http.Error(w, "the body broke off", http.StatusBadRequest)
		return
	case !known && !h.signed(r.Header.Get("X-Hub-Signature-256"), body):
		h.refuse(w)
		return
	}
	repos, err := hinted(body)
	if err != nil {
		http.Error(w, "no notification of Distribution or Harbor", http.StatusBadRequest)
		return
	}
	for _, repo := range repos {
		for _, host := range h.hosts {
			h.hint(host, repo)
		}
	}
	w.WriteHeader(http.StatusAccepted)
}

func (h *hintHandler) refuse(w http.ResponseWriter) {
	http.Error(w, "the secret is missing or wrong", http.StatusUnauthorized)
}

// signed reports whether a header has the body's signature.
func (h *hintHandler) signed(header string, body []byte) bool {
	said, ok := strings.CutPrefix(header, "sha256=")
	sum, err := hex.DecodeString(said)
	if !ok || err != nil {
		return false
	}
	mac := hmac.New(sha256.New, h.HMACKey)
	_, _ = mac.Write(body) // a hash takes all
	return hmac.Equal(sum, mac.Sum(nil))
}

// same compares in a time that tells nothing of the secret, nor of its length.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// notification is what is read of any of the forms.
type notification struct {
	// Distribution: docs/spec/api "Notifications", envelope.
	Events []struct {
		Action string
		Target struct{ Repository string }
	}
	// Harbor: "Configure Webhook Notifications", payload format Default, and as
	// CloudEvents.
	Type      string
	EventData *harborData `json:"event_data"`
	Data      *harborData
}

type harborData struct {
	Repository struct {
		Name string `json:"repo_full_name"`
	}
}

// hinted returns the repositories that a notification says have changed, each
// once. Pulls change nothing.
func hinted(body []byte) ([]string, error) {
	var n notification
	if err := json.Unmarshal(body, &n); err != nil {
		return nil, fmt.Errorf("notification: %w: %w", boltseal.ErrMalformed, err)
	}
	var repos []string
	seen := map[string]bool{}
	add := func(what, repo string) {
		if repo != "" && !seen[repo] && !strings.Contains(strings.ToLower(what), "pull") {
			seen[repo] = true
			repos = append(repos, repo)
		}
	}
	for _, e := range n.Events {
		add(e.Action, e.Target.Repository)
	}
	for _, d := range []*harborData{n.EventData, n.Data} {
		if d != nil {
			add(n.Type, d.Repository.Name)
		}
	}
	if n.Events == nil && n.EventData == nil && n.Data == nil {
		return nil, fmt.Errorf("notification: %w: of no known form", boltseal.ErrMalformed)
	}
	return repos, nil
}
