package distribution

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

const (
	// leastLife is how long a token is good for if the server does not say
	// (distribution, "Token Authentication Specification", expires_in).
	leastLife = time.Minute
	// maxGrants bounds the tokens that are kept.
	maxGrants = 10_000
	// sulk is for how long a login that failed is not tried again.
	sulk = 2 * time.Second
	// greeting is the key of the registry's answer to the first request; no
	// list of scopes looks like it.
	greeting = "GET /v2/"
)

// login knows how the registry wants to be spoken to, and has the tokens.
type login struct {
	registry  name.Registry
	keys      authn.Keychain
	resource  authn.Resource // what the credentials are for
	transport http.RoundTripper

	mu     sync.Mutex
	grants map[string]*grant // by scopes, and the greeting
}

// grant is an answer in the making; the fields below ready are set when it is closed.
type grant struct {
	ready  chan struct{}
	hello  *transport.Challenge // the greeting's
	header string               // everything else's
	until  time.Time            // zero: for good
	err    error
}

func (g *grant) done() bool {
	select {
	case <-g.ready:
		return true
	default:
		return false
	}
}

func (g *grant) stale(now time.Time) bool {
	return g.done() && !g.until.IsZero() && !now.Before(g.until)
}

// header returns the Authorization header for the scopes, empty if none is
// needed, and the scheme.
func (l *login) header(ctx context.Context, scopes []string) (header, scheme string, err error) {
	hello, err := l.once(ctx, greeting, func(g *grant) {
		g.hello, g.err = transport.Ping(ctx, l.registry, transport.NewUserAgent(l.transport, userAgent[0]))
	})
	if err != nil {
		return "", "", err
	}
	scheme = "https"
	if hello.hello.Insecure {
		scheme = "http"
	}
	var g *grant
	switch strings.ToLower(hello.hello.Scheme) {
	case "":
		return "", scheme, nil
	case "basic":
		g, err = l.once(ctx, "basic", func(g *grant) { g.header, g.err = l.password(ctx) })
	case "bearer":
		g, err = l.once(ctx, strings.Join(scopes, " "), func(g *grant) { g.header, g.until, g.err = l.token(ctx, hello.hello, scopes) })
	default:
		err = fmt.Errorf("authentication by %q: %w", hello.hello.Scheme, errors.ErrUnsupported)
	}
	if err != nil {
		return "", "", err
	}
	return g.header, scheme, nil
}

// once returns the grant of a key, and has fill make it unless a good one is
// there or on its way: who comes meanwhile waits for it. If the maker's context
// ends, the next in line makes it.
func (l *login) once(ctx context.Context, key string, fill func(*grant)) (*grant, error) {
	for {
		l.mu.Lock()
		g := l.grants[key]
		mine := g == nil || g.stale(time.Now())
		if mine {
			l.room()
			g = &grant{ready: make(chan struct{})}
			l.grants[key] = g
		}
		l.mu.Unlock()
		if mine {
			fill(g)
			if g.err != nil {
				g.until = time.Now().Add(sulk)
			}
			if ctx.Err() != nil && g.err != nil {
				g.until = time.Unix(0, 0)
			}
			close(g.ready)
			return g, g.err
		}
		select {
		case <-g.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if g.err == nil || g.until.After(time.Unix(0, 0)) {
			return g, g.err
		}
	}
}

// room makes room for one more grant; called with mu held.
func (l *login) room() {
	if len(l.grants) < maxGrants {
		return
	}
	now := time.Now()
	for k, g := range l.grants {
		if k != greeting && g.stale(now) {
			delete(l.grants, k)
		}
	}
	for k, g := range l.grants {
		if len(l.grants) < maxGrants {
			return
		}
		if k != greeting && g.done() {
			delete(l.grants, k)
		}
	}
}

func (l *login) password(ctx context.Context) (string, error) {
	auth, err := authn.Resolve(ctx, l.keys, l.resource)
	if err != nil {
		return "", fmt.Errorf("credentials: %w", err)
	}
	c, err := authn.Authorization(ctx, auth)
	switch {
	case err != nil:
		return "", fmt.Errorf("credentials: %w", err)
	case c.Auth != "":
		return "Basic " + c.Auth, nil
	case c.Username != "" || c.Password != "":
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.Username+":"+c.Password)), nil
	}
	return "", nil // the registry will say what it does not allow
}

// token asks the registry's token server, with the credentials if there are
// any. go-containerregistry checks where that server may lie: with TLS, or where
// the registry itself is; and at no private or link-local address.
func (l *login) token(ctx context.Context, hello *transport.Challenge, scopes []string) (string, time.Time, error) {
	auth, err := authn.Resolve(ctx, l.keys, l.resource)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("credentials: %w", err)
	}
	c, err := authn.Authorization(ctx, auth)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("credentials: %w", err)
	}
	if c.RegistryToken != "" {
		return "Bearer " + c.RegistryToken, time.Time{}, nil
	}
	asked := time.Now()
	t, err := transport.Exchange(ctx, l.registry, auth, transport.NewUserAgent(l.transport, userAgent[0]), scopes, hello)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("token: %w", err)
	}
	value := t.Token
	if value == "" {
		value = t.AccessToken
	}
	life := max(time.Duration(min(t.ExpiresIn, 24*3600))*time.Second, leastLife)
	return "Bearer " + value, asked.Add(life * 4 / 5), nil
}

// forget drops a header that the registry did not accept, and reports whether
// it is worth asking for another: a password stays what it is.
func (l *login) forget(scopes []string, header string) bool {
	if !strings.HasPrefix(header, "Bearer ") {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	key := strings.Join(scopes, " ")
	if g := l.grants[key]; g != nil && g.done() && g.header == header {
		delete(l.grants, key)
	}
	return true
}
