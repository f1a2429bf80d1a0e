package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal"
)

// pendingBytes bounds the items that wait for the end of their List to learn
// their kind.
const pendingBytes = 64 << 20

// pendingItems are the items of one List that do not say what they are: those
// of a typed List whose kind comes after them.
type pendingItems struct {
	open  bool
	kind  schema.GroupVersionKind // of the items, if the List has named it before them
	bytes int64
	items []pendingItem
}

type pendingItem struct {
	data []byte
	at   boltseal.Location
}

// item takes up one item of the List, now or when the kind is known.
func (p *pendingItems) item(ctx context.Context, b *Builder, doc *document, data []byte, at boltseal.Location) []error {
	if !p.open {
		p.open = true
		outer := document{data: doc.outer, yaml: doc.yaml}
		if !doc.yaml {
			outer.data = append(doc.outer[:len(doc.outer):len(doc.outer)], "]}"...)
		}
		if head, err := outer.json(ctx, b.opt.Depth, b.opt.DocumentBytes); err == nil {
			p.kind = listKind(head)
		}
	}
	if apiVersion, kind := typeOf(data); apiVersion != "" || kind != "" || p.kind.Kind != "" {
		return b.addAny(data, p.kind, at, 1)
	}
	if p.bytes += int64(len(data)); p.bytes > pendingBytes {
		p.items = nil
		b.unread("items of a list did not name their kind")
		return []error{malformed(at, fmt.Errorf("items of a list without apiVersion and kind: %w of %d bytes: put the list's kind before its items", boltseal.ErrLimit, pendingBytes))}
	}
	p.items = append(p.items, pendingItem{append([]byte(nil), data...), at})
	return nil
}

// end takes up what waited. The header is the List without its items, nil if it
// could not be read.
func (p *pendingItems) end(b *Builder, header []byte, at boltseal.Location) (errs []error) {
	items := p.items
	*p = pendingItems{}
	kind := listKind(header)
	if name := headerKind(header); header != nil && !strings.HasSuffix(name, "List") {
		b.unread("a document was malformed")
		return []error{malformed(at, fmt.Errorf("kind %q has items and is no List", shorten(name)))}
	}
	if header != nil {
		var l struct {
			metav1.TypeMeta
			Items rawJSON `json:"items"`
		}
		err := decodeJSON(header, &l)
		if items := string(l.Items); err == nil && items != "" && items != "null" && items != "[]" {
			err = errors.New("items stand apart from the others")
		}
		if err != nil { // such as items given twice, of which the API takes the last
			b.unread("a document was malformed")
			errs = append(errs, malformed(at, err))
		}
	}
	for _, it := range items {
		errs = append(errs, b.addAny(it.data, kind, it.at, 1)...)
	}
	return errs
}

func headerKind(header []byte) string {
	_, kind := typeOf(header)
	return kind
}

// listKind returns the kind of a List's items, none where it is mixed or no
// List.
func listKind(header []byte) schema.GroupVersionKind {
	apiVersion, kind := typeOf(header)
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err != nil || !strings.HasSuffix(kind, "List") {
		return schema.GroupVersionKind{}
	}
	return itemKind(gv.WithKind(kind))
}
