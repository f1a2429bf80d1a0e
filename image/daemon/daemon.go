// Package daemon opens images that a Docker Engine holds, by its HTTP API.
//
//	img, err := image.Open(ctx, "docker:shop:1.4", &image.OpenOptions{
//		SpoolDir:   dir,
//		Transports: []image.Transport{daemon.Transport(nil)},
//	})
//
// The engine gives an image only as one stream, the one that docker save writes.
// It is kept in [image.OpenOptions.SpoolDir] until the image is closed. Podman's
// service speaks the same API.
package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/internal/spool"
)

// DefaultHost is where the engine listens unless told otherwise.
const DefaultHost = "unix:///var/run/docker.sock"

// Options are the settings of [Transport]. Nil and the zero value are ready to use.
type Options struct {
	// Host is the engine's address as DOCKER_HOST has it: unix://PATH,
	// tcp://HOST:PORT or http(s)://HOST:PORT. Empty is DefaultHost. The
	// environment is not read: a program that wants it passes
	// os.Getenv("DOCKER_HOST").
	Host string
	// Client makes the requests to hosts other than unix:// ones; nil is
	// [http.DefaultClient]. TLS with client certificates is its matter.
	Client *http.Client
}

// Transport returns what opens references with the prefix docker: or
// docker-daemon:, an image's name, tag or ID. Errors wrap [fs.ErrNotExist] for
// an image, or an engine, that is not there, and [errors.ErrUnsupported] without
// a SpoolDir.
func Transport(o *Options) image.Transport {
	if o == nil {
		o = &Options{}
	}
	return image.Transport{Prefixes: []string{"docker:", "docker-daemon:"}, Open: o.open}
}

func (o *Options) open(ctx context.Context, ref string, opts *image.OpenOptions) (*image.Image, error) {
	if opts.SpoolDir == "" {
		return nil, fmt.Errorf("an engine's stream must be kept to be read: %w without OpenOptions.SpoolDir", errors.ErrUnsupported)
	}
	if ref == "" || strings.ContainsAny(ref, "?#\\ ") || strings.Contains(ref, "..") {
		return nil, fmt.Errorf("image name %q: %w", ref, boltseal.ErrMalformed)
	}
	file, err := o.save(ctx, ref, opts)
	if err != nil {
		return nil, err
	}
	img, err := image.OpenArchive(ctx, file, file.Size(), "", opts)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if img.Name == "" {
		img.Name = ref
	}
	img.Closer = both{img.Closer, file}
	return img, nil
}

// save asks for the stream (Docker Engine API, "Export an image") and keeps it.
func (o *Options) save(ctx context.Context, ref string, opts *image.OpenOptions) (*spool.File, error) {
	client, base, err := o.client()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/images/"+(&url.URL{Path: ref}).EscapedPath()+"/get", nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no Docker Engine at %s: %w", o.host(), err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, answer(resp)
	}
	limit := opts.Limits.WithDefaults().LayerBytes
	file, err := spool.Copy(ctx, opts.SpoolDir, io.LimitReader(resp.Body, limit))
	if err != nil {
		return nil, err
	}
	if file.Size() == limit {
		return nil, errors.Join(fmt.Errorf("%w: the engine sends more than %d bytes, Limits.LayerBytes", boltseal.ErrLimit, limit), file.Close())
	}
	return file, nil
}

func (o *Options) host() string {
	if o.Host == "" {
		return DefaultHost
	}
	return o.Host
}

// client returns what speaks to the host, and the URL to put before paths.
func (o *Options) client() (*http.Client, string, error) {
	scheme, address, _ := strings.Cut(o.host(), "://")
	client := o.Client
	if client == nil {
		client = http.DefaultClient
	}
	switch scheme {
	case "unix":
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", address)
		}
		return &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}, "http://docker", nil
	case "tcp":
		return client, "http://" + address, nil
	case "http", "https":
		return client, strings.TrimSuffix(o.host(), "/"), nil
	}
	return nil, "", fmt.Errorf("host %q: %w: want unix://, tcp://, http:// or https://", o.host(), errors.ErrUnsupported)
}

// answer makes an error of what the engine says.
func answer(resp *http.Response) error {
	var said struct {
		Message string `json:"message"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, 16<<10)).Decode(&said) // the status alone will do
	err := fmt.Errorf("the engine answers %s: %.500q", resp.Status, said.Message)
	if resp.StatusCode == http.StatusNotFound {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

type both [2]io.Closer

func (b both) Close() error { return errors.Join(b[0].Close(), b[1].Close()) }
