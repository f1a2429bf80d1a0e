package distribution

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"slices"
)

// guard refuses requests that nobody meant to allow, wherever they come from: a
// fallback, a redirect, a token's realm. Without TLS only loopback and the hosts
// named; and nothing to link-local addresses, where clouds keep the credentials
// of the machine, unless the registry itself lies there.
type guard struct {
	http.RoundTripper
	host  string
	plain []string
}

// RoundTrip implements [http.RoundTripper].
func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	host := r.URL.Hostname()
	ip, _ := netip.ParseAddr(host)
	ip = ip.Unmap()
	if r.URL.Scheme != "https" && host != "localhost" && !ip.IsLoopback() && !slices.Contains(g.plain, r.URL.Host) && !slices.Contains(g.plain, host) {
		return nil, fmt.Errorf("%s without TLS: %w: name the host in PlainHTTP to allow it", r.URL.Host, fs.ErrPermission)
	}
	if r.URL.Host != g.host && (ip.IsLinkLocalUnicast() || ip == awsMetadata6) {
		return nil, fmt.Errorf("%s sends on to the link-local address %s: %w", g.host, net.JoinHostPort(host, r.URL.Port()), fs.ErrPermission)
	}
	return g.RoundTripper.RoundTrip(r)
}

// awsMetadata6 is Amazon's metadata service over IPv6 (EC2 user guide, "Instance
// metadata"), which lies in a unique local range.
var awsMetadata6 = netip.MustParseAddr("fd00:ec2::254")

const maxRedirects = 5

// checkRedirect takes the credentials off a request that leaves the host they
// were meant for, and never goes from TLS back to none.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return errors.New("redirect from https to " + req.URL.Scheme)
	}
	if req.URL.Host != via[0].URL.Host || req.URL.Scheme != via[0].URL.Scheme {
		req.Header.Del("Authorization")
		req.Header.Del("Cookie")
	}
	return nil
}
