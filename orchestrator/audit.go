package orchestrator

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/boltseal/boltseal"
)

// AuditEvent is what is read of an event of audit.k8s.io/v1.
type AuditEvent struct {
	AuditID          string            `json:"auditID"`
	Stage            string            `json:"stage"` // RequestReceived, ResponseStarted, ResponseComplete, Panic
	RequestURI       string            `json:"requestURI"`
	Verb             string            `json:"verb"`
	User             AuditUser         `json:"user"`
	ImpersonatedUser *AuditUser        `json:"impersonatedUser,omitempty"`
	ObjectRef        *AuditObject      `json:"objectRef,omitempty"`
	ResponseStatus   *AuditStatus      `json:"responseStatus,omitempty"`
	Received         time.Time         `json:"requestReceivedTimestamp"`
	StageTime        time.Time         `json:"stageTimestamp"`
	Annotations      map[string]string `json:"annotations,omitempty"`
}

// AuditUser is who sent a request, or on whose behalf.
type AuditUser struct {
	Username string              `json:"username"`
	UID      string              `json:"uid,omitempty"`
	Groups   []string            `json:"groups,omitempty"`
	Extra    map[string][]string `json:"extra,omitempty"`
}

// AuditObject is what a request was about.
type AuditObject struct {
	Resource    string `json:"resource"`
	Namespace   string `json:"namespace,omitempty"`
	Name        string `json:"name,omitempty"`
	APIGroup    string `json:"apiGroup,omitempty"`
	APIVersion  string `json:"apiVersion,omitempty"`
	Subresource string `json:"subresource,omitempty"`
}

// AuditStatus is how a request ended.
type AuditStatus struct {
	Code int `json:"code"`
}

// Subject returns whom the user is to RBAC.
func (u *AuditUser) Subject() Subject {
	if sa, ok := serviceAccountOf(u.Username); ok {
		return sa
	}
	return User(u.Username)
}

// Request returns what the authorizers were asked about.
func (e *AuditEvent) Request() Request {
	path, query, _ := strings.Cut(e.RequestURI, "?")
	if e.ObjectRef == nil || e.ObjectRef.Resource == "" {
		return Request{Verb: e.Verb, Path: path}
	}
	o := e.ObjectRef
	q := Request{Verb: e.Verb, Group: o.APIGroup, Resource: o.Resource, Subresource: o.Subresource, Namespace: o.Namespace, Name: o.Name}
	switch e.Verb {
	case "create":
		if o.Subresource == "" {
			q.Name = "" // the log has it from the body, the authorizer did not
		}
	case "deletecollection":
		q.Name = ""
	case "list", "watch":
		q.Name = ""
		if values, err := url.ParseQuery(query); err == nil {
			if name, ok := strings.CutPrefix(values.Get("fieldSelector"), "metadata.name="); ok && !strings.ContainsAny(name, ",=!") {
				q.Name = name
			}
		}
	}
	return q
}

// Authorized reports whether the request got past authorization, as far as the
// event tells: by its annotation, or by the status. 401 and 403 say no, and so
// does 429, which is sent before authorization except by an eviction.
func (e *AuditEvent) Authorized() bool {
	switch e.Annotations["authorization.k8s.io/decision"] {
	case "allow":
		return true
	case "forbid":
		return false
	}
	if e.ResponseStatus == nil {
		return false
	}
	switch code := e.ResponseStatus.Code; code {
	case 0, 401, 403:
		return false
	case 429:
		return e.ObjectRef != nil && e.ObjectRef.Subresource == "eviction"
	default:
		return code < 500
	}
}

// GrantedBy returns the binding that the authorizer named as the first to allow
// the request, from the annotation authorization.k8s.io/reason.
func (e *AuditEvent) GrantedBy() (kind, namespace, name string) {
	rest, ok := strings.CutPrefix(e.Annotations["authorization.k8s.io/reason"], "RBAC: allowed by ")
	if !ok {
		return "", "", ""
	}
	kind, rest, _ = strings.Cut(rest, " ")
	quoted, _, ok := strings.Cut(strings.TrimPrefix(rest, `"`), `"`)
	if !ok || kind != "RoleBinding" && kind != "ClusterRoleBinding" {
		return "", "", ""
	}
	if kind == "RoleBinding" { // "name/namespace"
		if n, ns, ok := strings.Cut(quoted, "/"); ok {
			return kind, ns, n
		}
	}
	return kind, "", quoted
}

// AuditOptions bound what is read of an audit log.
type AuditOptions struct {
	// DocumentBytes bounds one event or EventList; default 64 MiB.
	DocumentBytes int
}

// ReadAudit yields the events of an audit log: JSON documents, one on a line or
// over several, each an Event or an EventList of audit.k8s.io/v1. An error
// concerns one document, wraps [boltseal.ErrMalformed] or [boltseal.ErrLimit]
// and names its line; the rest goes on. Errors of the reader and of the context
// are the last.
func ReadAudit(ctx context.Context, r io.Reader, opts *AuditOptions) iter.Seq2[AuditEvent, error] {
	limit := 64 << 20
	if opts != nil && opts.DocumentBytes > 0 {
		limit = opts.DocumentBytes
	}
	return func(yield func(AuditEvent, error) bool) {
		s := auditSplitter{r: bufio.NewReaderSize(r, 64<<10), limit: limit}
		for ctx.Err() == nil {
			doc, line, err := s.next()
			if err != nil && !errors.Is(err, boltseal.ErrLimit) && !errors.Is(err, boltseal.ErrMalformed) {
				if err != io.EOF {
					yield(AuditEvent{}, fmt.Errorf("read audit log: %w", err))
				}
				return
			}
			if err == nil {
				err = eachEvent(doc, func(e AuditEvent) bool { return yield(e, nil) })
				if err == errStopped {
					return
				}
			}
			if err != nil && !yield(AuditEvent{}, &boltseal.Error{Op: "read audit log", Location: boltseal.Location{Line: line}, Err: err}) {
				return
			}
		}
		yield(AuditEvent{}, ctx.Err())
	}
}

var errStopped = errors.New("stopped")

func eachEvent(doc []byte, do func(AuditEvent) bool) error {
	var d struct {
		Kind       string          `json:"kind"`
		APIVersion string          `json:"apiVersion"`
		Items      json.RawMessage `json:"items"`
		AuditEvent
	}
	if err := json.Unmarshal(doc, &d); err != nil {
		return fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	}
	if d.APIVersion != "" && d.APIVersion != "audit.k8s.io/v1" {
		return fmt.Errorf("%s %s: %w; log audit.k8s.io/v1", d.APIVersion, d.Kind, errors.ErrUnsupported)
	}
	switch d.Kind {
	case "Event", "":
		if err := d.AuditEvent.check(); err != nil {
			return err
		}
		if !do(d.AuditEvent) {
			return errStopped
		}
	case "EventList":
		var items []AuditEvent
		if len(d.Items) > 0 {
			if err := json.Unmarshal(d.Items, &items); err != nil {
				return fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
			}
		}
		var bad error
		for i := range items {
			if err := items[i].check(); err != nil {
				bad = fmt.Errorf("items[%d]: %w", i, err)
			} else if !do(items[i]) {
				return errStopped
			}
		}
		return bad
	default:
		return fmt.Errorf("%w: kind %.40q: not an audit event", boltseal.ErrMalformed, d.Kind)
	}
	return nil
}

// check refuses what is no event, and what no request can hold: a wildcard
// would become one in a suggested role.
func (e *AuditEvent) check() error {
	if e.Verb == "" || e.AuditID == "" {
		return fmt.Errorf("%w: no verb or auditID: not an audit event", boltseal.ErrMalformed)
	}
	if o := e.ObjectRef; e.Verb == "*" || o != nil && (o.Resource == "*" || o.APIGroup == "*" || strings.Contains(o.Subresource, "*")) {
		return fmt.Errorf("%w: a wildcard in a request", boltseal.ErrMalformed)
	}
	return nil
}

// auditSplitter cuts a log into JSON documents. A document ends with the line
// on which its braces close. A line that begins with a brace begins a new
// document even if the one before it is not closed: what is nested is indented.
type auditSplitter struct {
	r     *bufio.Reader
	limit int
	line  int
	held  []byte // the first line of the next document
	eof   error
}

// next returns a document and the line on which it begins.
func (s *auditSplitter) next() (doc []byte, line int, err error) {
	var buf []byte
	depth, inString, escaped, over := 0, false, false, false
	for {
		text := s.held
		s.held = nil
		if text == nil {
			if s.eof != nil {
				break
			}
			var long bool
			text, long, s.eof = s.readLine()
			over = over || long
		}
		if depth > 0 && len(text) > 0 && text[0] == '{' {
			s.held = text
			break
		}
		if len(buf) == 0 {
			text = bytes.TrimLeft(text, " \t\r\n")
			line = s.line
		}
		if len(buf)+len(text) > s.limit {
			over = true
		}
		for _, c := range text {
			switch {
			case escaped:
				escaped = false
			case inString:
				escaped, inString = c == '\\', c != '"'
			case c == '"':
				inString = true
			case c == '{' || c == '[':
				depth++
			case c == '}' || c == ']':
				depth--
			}
		}
		if !over {
			buf = append(buf, text...)
		}
		if depth <= 0 && (len(buf) > 0 || over) {
			break
		}
	}
	switch {
	case over:
		return nil, line, fmt.Errorf("document of more than %d bytes: %w", s.limit, boltseal.ErrLimit)
	case len(bytes.TrimSpace(buf)) > 0:
		return buf, line, nil
	}
	return nil, line, s.eof
}

// readLine returns the next line with its end. One that is longer than the
// limit is cut, and the rest of it dropped.
func (s *auditSplitter) readLine() (text []byte, long bool, err error) {
	s.line++
	for {
		part, err := s.r.ReadSlice('\n')
		if len(text)+len(part) <= s.limit {
			text = append(text, part...)
		} else {
			long = true
		}
		if err != bufio.ErrBufferFull {
			return text, long, err
		}
	}
}
