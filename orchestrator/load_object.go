package orchestrator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	sigsjson "sigs.k8s.io/json"

	"github.com/boltseal/boltseal"
)

// json returns a document as JSON, or nil for an empty one.
func (d *document) json(ctx context.Context, maxDepth int, limit int64) ([]byte, error) {
	if !d.yaml {
		return d.data, jsonDepth(d.data, maxDepth)
	}
	data, err := yamlToJSON(ctx, d.data, maxDepth, limit)
	if d.item { // cut out with its dash: a sequence of one
		data = bytes.TrimSuffix(bytes.TrimPrefix(data, []byte("[")), []byte("]"))
	}
	return data, err
}

// jsonDepth checks how deep a text nests.
func jsonDepth(data []byte, limit int) error {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = jsonStringEnd(data, i)
		case '{', '[':
			if depth++; depth > limit {
				return fmt.Errorf("values nest deeper than the %w of %d", boltseal.ErrLimit, limit)
			}
		case '}', ']':
			depth--
		}
	}
	return nil
}

// jsonStringEnd returns the index of the quote that ends the string beginning
// at i, or the length of data.
func jsonStringEnd(data []byte, i int) int {
	for i++; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(data)
}

// locate puts the place of an error into it.
func (d *document) locate(at boltseal.Location, err error) error {
	var y *yamlError
	if errors.As(err, &y) && y.line > 0 {
		at.Line = d.first + y.line - 1
		err = y.err
	}
	if bytes.Contains(d.data, []byte("{{")) {
		err = fmt.Errorf("%w: it looks like a template: render it first (helm template, kustomize build)", err)
	}
	return malformed(at, err)
}

func malformed(at boltseal.Location, err error) error {
	if !errors.Is(err, boltseal.ErrMalformed) && !errors.Is(err, boltseal.ErrLimit) {
		err = fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	}
	return &boltseal.Error{Op: "load", Location: at, Err: err}
}

// decodeJSON decodes the way the API server does: the names of fields with
// their case, unknown ones dropped. A field given twice is an error.
func decodeJSON(data []byte, into any) error {
	strict, err := sigsjson.UnmarshalStrict(data, into, sigsjson.DisallowDuplicateFields)
	if err == nil && len(strict) > 0 {
		err = strict[0]
	}
	return err
}

// typeOf reads apiVersion and kind of an object without decoding the rest.
func typeOf(data []byte) (apiVersion, kind string) {
	depth, key := 0, ""
	isKey := false
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			depth++
			isKey = depth == 1 && data[i] == '{'
		case '}', ']':
			depth--
		case ',':
			isKey = depth == 1
		case ':':
			isKey = false
		case '"':
			end := jsonStringEnd(data, i)
			if depth == 1 && end < len(data) {
				switch text := jsonString(data[i : end+1]); {
				case isKey:
					key = text
				case key == "apiVersion" && apiVersion == "":
					apiVersion = text
				case key == "kind" && kind == "":
					kind = text
				}
			}
			if i = end; apiVersion != "" && kind != "" {
				return
			}
		}
	}
	return
}

// jsonString returns the value of a string in quotes.
func jsonString(quoted []byte) string {
	if bytes.IndexByte(quoted, '\\') >= 0 {
		var s string
		if json.Unmarshal(quoted, &s) == nil {
			return s
		}
	}
	return string(quoted[1 : len(quoted)-1])
}

// maxListDepth bounds Lists in Lists.
const maxListDepth = 4

// addAny takes up an object or a List. Its kind is the given one where it names
// none.
func (b *Builder) addAny(data []byte, kind schema.GroupVersionKind, at boltseal.Location, depth int) []error {
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		b.unread("a document was malformed")
		return []error{malformed(at, errors.New("a document is no object"))}
	}
	apiVersion, name := typeOf(data)
	gvk := kind
	switch {
	case apiVersion == "" && name == "" && kind.Kind == "":
		// A values file, a chart's metadata, a CI pipeline. The decoder has the
		// last word on whether it is one.
		var any map[string]any
		if err := decodeJSON(data, &any); err != nil {
			b.unread("a document was malformed")
			return []error{malformed(at, err)}
		}
		b.note(at, "no object of Kubernetes: neither apiVersion nor kind")
		return nil
	case apiVersion != "" || name != "":
		gv, err := schema.ParseGroupVersion(apiVersion)
		if err != nil || apiVersion == "" || name == "" {
			b.unread("a document was malformed")
			return []error{malformed(at, fmt.Errorf("apiVersion %q, kind %q: both are needed", shorten(apiVersion), shorten(name)))}
		}
		gvk = gv.WithKind(name)
	}
	if strings.HasSuffix(gvk.Kind, "List") {
		if errs, ok := b.addList(data, gvk, at, depth); ok {
			return errs
		}
	}
	if err := b.addObject(data, gvk, at); err != nil {
		return []error{err}
	}
	return nil
}

// addList takes up the items of a List; ok is false if it is none.
func (b *Builder) addList(data []byte, gvk schema.GroupVersionKind, at boltseal.Location, depth int) (errs []error, ok bool) {
	var l struct {
		metav1.TypeMeta
		Items *[]rawJSON `json:"items"`
	}
	if err := decodeJSON(data, &l); err != nil {
		b.unread("a document was malformed")
		return []error{malformed(at, err)}, true
	}
	if l.Items == nil {
		// An empty list has "items: null"; a custom kind may just end in List.
		return nil, b.byKind[schema.GroupKind{Group: gvk.Group, Kind: strings.TrimSuffix(gvk.Kind, "List")}].list != nil || gvk.Kind == "List"
	}
	if depth >= maxListDepth {
		b.unread("a document was malformed")
		return []error{malformed(at, fmt.Errorf("lists nest deeper than the %w of %d", boltseal.ErrLimit, maxListDepth))}, true
	}
	for _, item := range *l.Items {
		if err := b.count(at); err != nil {
			return append(errs, err), true
		}
		errs = append(errs, b.addAny(item, itemKind(gvk), at, depth+1)...)
	}
	return errs, true
}

// count takes one document more, or says that the limit is reached. The API's
// own lists have limits of their own.
func (b *Builder) count(at boltseal.Location) error {
	if b.documents++; b.documents <= b.opt.Documents || b.snap.live {
		return nil
	}
	b.full = true
	b.unread("there were more documents than the limit")
	return &boltseal.Error{Op: "load", Location: at, Err: fmt.Errorf("documents: %w of %d: raise LoadOptions.Documents", boltseal.ErrLimit, b.opt.Documents)}
}

// itemKind returns the kind of a List's items, none for a mixed one.
func itemKind(gvk schema.GroupVersionKind) schema.GroupVersionKind {
	gvk.Kind = strings.TrimSuffix(gvk.Kind, "List")
	if gvk.Kind == "" {
		return schema.GroupVersionKind{}
	}
	return gvk
}

// rawJSON is a value left undecoded, in the memory it was read into.
type rawJSON []byte

// UnmarshalJSON keeps the text.
func (r *rawJSON) UnmarshalJSON(data []byte) error {
	*r = append((*r)[:0], data...)
	return nil
}

// addObject decodes one object that is no List.
func (b *Builder) addObject(data []byte, gvk schema.GroupVersionKind, at boltseal.Location) error {
	k, ok := b.byKind[gvk.GroupKind()]
	if !ok {
		if now, ok := moved(gvk); ok {
			return b.oldVersion(gvk, b.byKind[now], at)
		}
		return b.addOther(gvk, data, at)
	}
	if gvk.Version != k.Version && !slices.Contains(k.Older, gvk.Version) {
		return b.oldVersion(gvk, k, at)
	}
	var err error
	var o metav1.Object
	if gvk.Kind == "Secret" {
		var s corev1.Secret
		if err = decodeJSON(data, &s); err != nil {
			err = secretError(err)
		}
		o = shrinkSecret(&s)
	} else {
		o = k.list(b.snap).newObject()
		err = decodeJSON(data, o)
	}
	if err == nil {
		err = b.keep(k, gvk, o, at)
	}
	if err != nil {
		b.failed(k, "an object was malformed")
		return malformed(at, fmt.Errorf("%s: %w", gvk.Kind, err))
	}
	return nil
}

// secretError keeps of a decoding error what shows no value.
func secretError(err error) error {
	switch text := err.Error(); {
	case strings.HasPrefix(text, "duplicate field "):
		return err
	case strings.Contains(text, "base64"):
		return errors.New("a value of data is not base64")
	}
	return errors.New("a field has the wrong type")
}

// oldVersion refuses a version whose objects have another shape.
func (b *Builder) oldVersion(gvk schema.GroupVersionKind, k kind, at boltseal.Location) error {
	b.failed(k, "an object was of a version that is not read")
	return &boltseal.Error{Op: "load", Location: at, Err: fmt.Errorf("%s of %s: %w: convert it to %s (kubectl convert)",
		gvk.Kind, gvk.GroupVersion(), errors.ErrUnsupported, k.GroupVersion())}
}

// moved returns where the kinds of a group that is gone are now.
func moved(gvk schema.GroupVersionKind) (schema.GroupKind, bool) {
	if gvk.Group != "extensions" {
		return schema.GroupKind{}, false
	}
	switch gvk.Kind {
	case "Deployment", "DaemonSet", "ReplicaSet":
		return schema.GroupKind{Group: "apps", Kind: gvk.Kind}, true
	case "Ingress", "NetworkPolicy":
		return schema.GroupKind{Group: "networking.k8s.io", Kind: gvk.Kind}, true
	}
	return schema.GroupKind{}, false
}

// failed says that the files hold more of a kind than the snapshot does.
func (b *Builder) failed(k kind, why string) {
	b.Cover(k.GroupResource(), "", Coverage{State: Failed, Reason: why})
}

// unread says that something was not read that may have been of any kind.
func (b *Builder) unread(why string) {
	if b.snap.unread == "" {
		b.snap.unread = why
	}
}
