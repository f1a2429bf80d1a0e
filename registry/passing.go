package registry

import (
	"errors"
	"net"
	"net/http"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// passing reports whether an error is the registry's or the network's, and not
// that of what was read: it is not the image's fault, and goes by.
func passing(err error) bool {
	var throttle *ThrottleError
	var answer *transport.Error
	var network *net.OpError
	switch {
	case errors.As(err, &throttle), errors.As(err, &network):
		return true
	case errors.As(err, &answer):
		return answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusRequestTimeout
	}
	return false
}
