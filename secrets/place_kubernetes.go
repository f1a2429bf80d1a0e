package secrets

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/boltseal/boltseal"
)

// manifestBytes bounds the Kubernetes manifests whose Secrets are decoded.
const manifestBytes = 4 << 20

// manifests are Kubernetes objects in YAML or JSON. The data of a Secret is
// decoded key by key; its place is the Secret's namespace, name and key.
var manifests = container{
	name: "kubernetes",
	match: func(_ string, head []byte) bool {
		return bytes.Contains(head, []byte("apiVersion")) && bytes.Contains(head, []byte("kind"))
	},
	open: func(ctx context.Context, f feeder, c content, data boltseal.Content) error {
		b, rest, err := upTo(manifestBytes, data)
		if err != nil {
			return err
		}
		if rest != nil {
			f.skip(c, fmt.Sprintf("Kubernetes manifest of more than %d bytes: the data of its Secrets was not decoded one by one: %v", manifestBytes, boltseal.ErrLimit))
			return f.reader(ctx, c, rest)
		}
		if bytes.Contains(b, []byte("Secret")) {
			if err := kubernetesSecrets(ctx, f, c, b); err != nil {
				return err
			}
		}
		return f.bytes(ctx, c, b)
	},
}

// kubernetesSecret is what matters of a Secret, and of the lists that hold some.
type kubernetesSecret struct {
	Kind     string `yaml:"kind"`
	Metadata struct {
		Name      string `yaml:"name"`
		Namespace string `yaml:"namespace"`
	} `yaml:"metadata"`
	Data       map[string]yaml.Node `yaml:"data"`
	StringData map[string]yaml.Node `yaml:"stringData"`
	Items      []yaml.Node          `yaml:"items"`
}

func kubernetesSecrets(ctx context.Context, f feeder, c content, b []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(b)) // JSON is YAML
	for {
		var n yaml.Node
		if err := dec.Decode(&n); err != nil {
			return nil // no manifest (any more): the text is scanned anyway
		}
		if err := kubernetesObject(ctx, f, c, &n, 0); err != nil {
			return err
		}
	}
}

func kubernetesObject(ctx context.Context, f feeder, c content, n *yaml.Node, depth int) error {
	var s kubernetesSecret
	if err := n.Decode(&s); err != nil && !errors.As(err, new(*yaml.TypeError)) {
		return nil
	}
	if depth < 2 {
		for i := range s.Items {
			if err := kubernetesObject(ctx, f, c, &s.Items[i], depth+1); err != nil {
				return err
			}
		}
	}
	if s.Kind != "Secret" {
		return ctx.Err()
	}
	name := s.Metadata.Name
	if s.Metadata.Namespace != "" {
		name = s.Metadata.Namespace + "/" + name
	}
	for _, part := range []struct {
		values  map[string]yaml.Node
		encoded bool
	}{{s.Data, true}, {s.StringData, false}} {
		for _, key := range slices.Sorted(maps.Keys(part.values)) {
			node := part.values[key]
			value := []byte(node.Value)
			place := c.member("Secret " + name + "/" + key)
			if part.encoded {
				plain, err := base64.StdEncoding.DecodeString(node.Value)
				if err != nil || len(plain) == 0 {
					continue
				}
				value = plain
				place.via = append(slices.Clip(place.via), "base64")
			}
			if place.loc.Line == 0 && !c.fixed {
				place.loc.Line = node.Line
			}
			place.fixed = true
			if err := f.value(ctx, place, key, value); err != nil {
				if ctx.Err() != nil {
					return err
				}
				f.skip(place, err.Error())
			}
		}
	}
	return nil
}

// helmReleases are releases of Helm 3 as its storage holds them, after base64
// (of Kubernetes and its own) and gzip: the manifest that was applied, the
// values, and the chart's templates.
var helmReleases = container{
	name: "helm",
	match: func(_ string, head []byte) bool {
		return bytes.HasPrefix(head, []byte(`{"name":"`)) && bytes.Contains(head, []byte(`"info":{`)) && bytes.Contains(head, []byte("deployed"))
	},
	open: func(ctx context.Context, f feeder, c content, data boltseal.Content) error {
		b, err := io.ReadAll(io.LimitReader(data.Reader(), 32<<20))
		if err != nil {
			return err
		}
		var release struct {
			Manifest string          `json:"manifest"`
			Config   json.RawMessage `json:"config"`
			Chart    struct {
				Values    json.RawMessage `json:"values"`
				Templates []helmFile      `json:"templates"`
				Files     []helmFile      `json:"files"`
			} `json:"chart"`
		}
		if err := json.Unmarshal(b, &release); err != nil {
			return f.bytes(ctx, c, b)
		}
		parts := []helmFile{{"manifest.yaml", []byte(release.Manifest)}, {"config.json", release.Config}, {"values.json", release.Chart.Values}}
		for _, p := range slices.Concat(parts, release.Chart.Templates, release.Chart.Files) {
			place := c.member(p.Name)
			place.fixed = c.fixed
			if err := settle(ctx, f, place, &memberReader{f: f}, f.bytes(ctx, place, p.Data)); err != nil {
				return err
			}
		}
		return nil
	},
}

type helmFile struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}
