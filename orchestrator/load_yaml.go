package orchestrator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/boltseal/boltseal"
)

// yamlError is an error on a line of the document, counted from 1.
type yamlError struct {
	line int
	err  error
}

func (e *yamlError) Error() string { return e.err.Error() }
func (e *yamlError) Unwrap() error { return e.err }

// yamlToJSON converts a YAML document to JSON as kubectl does: scalars have the
// types of YAML 1.1 ("yes" is true, 0644 is octal). Duplicate keys are errors.
// It returns nil for an empty document, and a value beside an error where something
// follows that is not part of it.
func yamlToJSON(ctx context.Context, data []byte, maxDepth int, maxExpanded int64) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil { // the YAML library gives up on some input this way
			out, err = nil, fmt.Errorf("not YAML: %v", r)
		}
	}()
	var root yaml.Node
	dec := yaml.NewDecoder(ctxReader{ctx, bytes.NewReader(data)})
	if err := dec.Decode(&root); err == io.EOF {
		return nil, nil
	} else if err != nil {
		return nil, yamlSyntax(err)
	}
	if len(root.Content) != 1 {
		return nil, nil
	}
	if n := root.Content[0]; n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return nil, onlyDocument(dec)
	}
	c := &yamlConverter{maxDepth: maxDepth, left: maxExpanded, out: make([]byte, 0, len(data)+len(data)/4)}
	if err := c.value(root.Content[0], 0); err != nil {
		return nil, err
	}
	return c.out, onlyDocument(dec)
}

// onlyDocument reports what follows a document, which kubectl drops: YAML has
// more line breaks than the one that the stream was cut at.
func onlyDocument(dec *yaml.Decoder) error {
	var more yaml.Node
	switch err := dec.Decode(&more); {
	case err == io.EOF:
		return nil
	case err != nil:
		return yamlSyntax(err)
	}
	return &yamlError{more.Line, errors.New("another document follows without a line feed: end lines with one")}
}

// yamlSyntax reads the line out of a message of the YAML library.
func yamlSyntax(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		num, rest, ok := strings.Cut(rest, ": ")
		if n, e := strconv.Atoi(num); ok && e == nil {
			return &yamlError{n, fmt.Errorf("YAML: %s", rest)}
		}
	}
	return fmt.Errorf("YAML: %s", text)
}

type yamlConverter struct {
	out      []byte
	maxDepth int
	left     int64 // bytes that aliases may still expand to
	aliases  int   // aliases around the value at hand
}

func (c *yamlConverter) value(n *yaml.Node, depth int) error {
	if depth > c.maxDepth {
		return &yamlError{n.Line, fmt.Errorf("values nest deeper than the %w of %d", boltseal.ErrLimit, c.maxDepth)}
	}
	from := len(c.out)
	if err := c.node(n, depth); err != nil {
		return err
	}
	if c.aliases > 0 && n.Kind != yaml.MappingNode && n.Kind != yaml.SequenceNode {
		return c.spend(n, len(c.out)-from)
	}
	return nil
}

// spend counts what an alias expands to.
func (c *yamlConverter) spend(n *yaml.Node, bytes int) error {
	if c.left -= int64(bytes); c.left < 0 {
		return &yamlError{n.Line, fmt.Errorf("aliases expand beyond the %w of a document", boltseal.ErrLimit)}
	}
	return nil
}

func (c *yamlConverter) node(n *yaml.Node, depth int) error {
	switch n.Kind {
	case yaml.AliasNode:
		c.aliases++
		err := c.value(n.Alias, depth+1)
		c.aliases--
		return err
	case yaml.SequenceNode:
		if c.aliases > 0 {
			if err := c.spend(n, 2+len(n.Content)); err != nil {
				return err
			}
		}
		c.out = append(c.out, '[')
		for i, e := range n.Content {
			if i > 0 {
				c.out = append(c.out, ',')
			}
			if err := c.value(e, depth+1); err != nil {
				return err
			}
		}
		c.out = append(c.out, ']')
		return nil
	case yaml.MappingNode:
		return c.mapping(n, depth)
	case yaml.ScalarNode:
		return c.scalar(n)
	}
	return &yamlError{n.Line, errors.New("YAML: no value")}
}

func (c *yamlConverter) mapping(n *yaml.Node, depth int) error {
	pairs, err := c.pairs(n, depth)
	if err != nil {
		return err
	}
	c.out = append(c.out, '{')
	for i, p := range pairs {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		c.out = appendJSONString(c.out, p.key)
		c.out = append(c.out, ':')
		if c.aliases > 0 || p.merged {
			if err := c.spend(n, len(p.key)+4); err != nil {
				return err
			}
		}
		if p.merged {
			c.aliases++
		}
		err := c.value(p.value, depth+1)
		if p.merged {
			c.aliases--
		}
		if err != nil {
			return err
		}
	}
	c.out = append(c.out, '}')
	return nil
}

type yamlPair struct {
	key    string
	value  *yaml.Node
	merged bool // from a "<<" key
}

// pairs returns the entries of a mapping, those that "<<" merges in last.
func (c *yamlConverter) pairs(n *yaml.Node, depth int) ([]yamlPair, error) {
	if depth > c.maxDepth {
		return nil, &yamlError{n.Line, fmt.Errorf("values nest deeper than the %w of %d", boltseal.ErrLimit, c.maxDepth)}
	}
	pairs := make([]yamlPair, 0, len(n.Content)/2)
	var seen map[string]bool
	if len(n.Content) > 32 {
		seen = make(map[string]bool, len(n.Content)/2)
	}
	has := func(key string) bool {
		if seen != nil {
			return seen[key]
		}
		return slices.ContainsFunc(pairs, func(p yamlPair) bool { return p.key == key })
	}
	add := func(p yamlPair) {
		pairs = append(pairs, p)
		if seen == nil && len(pairs) > 16 {
			seen = map[string]bool{}
			for _, q := range pairs {
				seen[q.key] = true
			}
		} else if seen != nil {
			seen[p.key] = true
		}
	}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind == yaml.ScalarNode && k.Value == "<<" && (k.Tag == "!!merge" || k.Tag == "" || k.Tag == "!") && k.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0 {
			merges = append(merges, n.Content[i+1])
			continue
		}
		key, err := yamlKey(k)
		if err != nil {
			return nil, err
		}
		if has(key) {
			return nil, &yamlError{k.Line, fmt.Errorf("key %q is given twice", shorten(key))}
		}
		add(yamlPair{key: key, value: n.Content[i+1]})
	}
	for _, m := range merges {
		list := []*yaml.Node{m}
		if m.Kind == yaml.SequenceNode {
			list = m.Content
		}
		for _, from := range list {
			if from.Kind == yaml.AliasNode {
				from = from.Alias
			}
			if from.Kind != yaml.MappingNode {
				return nil, &yamlError{m.Line, errors.New(`YAML: "<<" takes a mapping`)}
			}
			if err := c.spend(from, 1+len(from.Content)); err != nil {
				return nil, err
			}
			more, err := c.pairs(from, depth+1)
			if err != nil {
				return nil, err
			}
			for _, p := range more {
				if !has(p.key) {
					p.merged = true
					add(p)
				}
			}
		}
	}
	return pairs, nil
}

func shorten(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}

// yamlKey returns a mapping's key as the name of a JSON field.
func yamlKey(k *yaml.Node) (string, error) {
	if k.Kind == yaml.AliasNode {
		k = k.Alias
	}
	if k.Kind != yaml.ScalarNode {
		return "", &yamlError{k.Line, errors.New("a key is no scalar")}
	}
	v, err := yamlScalar(k)
	if err != nil {
		return "", err
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 32), nil
	}
	return "", &yamlError{k.Line, errors.New("a key is null or a number out of range")}
}

func (c *yamlConverter) scalar(n *yaml.Node) error {
	v, err := yamlScalar(n)
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		c.out = append(c.out, "null"...)
	case string:
		c.out = appendJSONString(c.out, v)
	case bool:
		c.out = strconv.AppendBool(c.out, v)
	case int64:
		c.out = strconv.AppendInt(c.out, v, 10)
	case uint64:
		c.out = strconv.AppendUint(c.out, v, 10)
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return &yamlError{n.Line, errors.New("a number is infinite or none")}
		}
		b, _ := json.Marshal(v)
		c.out = append(c.out, b...)
	}
	return nil
}

func appendJSONString(out []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			b, _ := json.Marshal(s)
			return append(out, b...)
		}
	}
	out = append(out, '"')
	out = append(out, s...)
	return append(out, '"')
}
