package vex

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/boltseal/boltseal"
)

// openVEX is the part of OpenVEX 0.2.0 that decides.
type openVEX struct {
	Context     string             `json:"@context"`
	ID          string             `json:"@id"`
	Author      string             `json:"author"`
	Timestamp   string             `json:"timestamp"`
	LastUpdated string             `json:"last_updated"`
	Statements  []openVEXStatement `json:"statements"`
}

type openVEXStatement struct {
	Vulnerability   openVEXVuln      `json:"vulnerability"`
	Products        []openVEXProduct `json:"products"`
	Status          Status           `json:"status"`
	Justification   string           `json:"justification"`
	ImpactStatement string           `json:"impact_statement"`
	ActionStatement string           `json:"action_statement"`
	Timestamp       string           `json:"timestamp"`
	LastUpdated     string           `json:"last_updated"`
}

type openVEXVuln struct {
	ID      string   `json:"@id"`
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
}

// UnmarshalJSON also reads the bare name that version 0.0.1 wrote.
func (v *openVEXVuln) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &v.Name)
	}
	type plain openVEXVuln
	return json.Unmarshal(b, (*plain)(v))
}

type openVEXProduct struct {
	ID            string            `json:"@id"`
	Identifiers   map[string]string `json:"identifiers"`
	Hashes        map[string]string `json:"hashes"`
	Subcomponents []openVEXProduct  `json:"subcomponents"`
}

// UnmarshalJSON also reads the bare identifier that version 0.0.1 wrote.
func (p *openVEXProduct) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &p.ID)
	}
	type plain openVEXProduct
	return json.Unmarshal(b, (*plain)(p))
}

func (p *openVEXProduct) ids() []string {
	ids := compact(p.ID, p.Identifiers["purl"], p.Identifiers["cpe23"], p.Identifiers["cpe22"])
	if h := p.Hashes["sha-256"]; h != "" {
		ids = append(ids, "sha256:"+strings.ToLower(h))
	}
	return ids
}

// readOpenVEX reads a document. Statements without products speak of the
// subjects of the attestation they came in.
func readOpenVEX(data []byte, subjects []Product) (*Document, error) {
	var in openVEX
	if err := decode(data, "OpenVEX", &in); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(in.Context, "https://openvex.dev/ns") {
		return nil, fmt.Errorf("OpenVEX: %w: @context is %.80q, want https://openvex.dev/ns/…", boltseal.ErrMalformed, in.Context)
	}
	doc := &Document{Format: "OpenVEX", ID: in.ID, Author: in.Author, Time: moment(in.LastUpdated)}
	if doc.Time.IsZero() {
		doc.Time = moment(in.Timestamp)
	}
	for i := range in.Statements {
		s := &in.Statements[i]
		out := Statement{
			Vulnerability: append(compact(s.Vulnerability.Name, s.Vulnerability.ID), s.Vulnerability.Aliases...),
			Justification: s.Justification, Impact: s.ImpactStatement, Action: s.ActionStatement,
			Time: moment(s.LastUpdated),
		}
		if out.Time.IsZero() {
			out.Time = moment(s.Timestamp)
		}
		switch s.Status {
		case NotAffected, Affected, Fixed, UnderInvestigation:
			out.Status = s.Status
		}
		for j := range s.Products {
			p := Product{IDs: s.Products[j].ids()}
			for k := range s.Products[j].Subcomponents {
				p.Parts = append(p.Parts, s.Products[j].Subcomponents[k].ids())
			}
			out.Products = append(out.Products, p)
		}
		if len(s.Products) == 0 {
			out.Products = subjects
		}
		doc.add(out)
	}
	return doc, nil
}

// readAttestation reads an in-toto statement (in-toto.io/Statement v0.1 and v1)
// whose predicate is an OpenVEX document. Its signature is not looked at.
func readAttestation(data []byte) (*Document, error) {
	var in struct {
		Subject []struct {
			Name   string            `json:"name"`
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
		PredicateType string          `json:"predicateType"`
		Predicate     json.RawMessage `json:"predicate"`
	}
	if err := decode(data, "attestation", &in); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(in.PredicateType, "https://openvex.dev/ns") {
		return nil, fmt.Errorf("attestation: %w: predicate %.80q is not OpenVEX", boltseal.ErrMalformed, in.PredicateType)
	}
	var subjects []Product
	for _, s := range in.Subject {
		if d := s.Digest["sha256"]; d != "" { // a name alone proves nothing
			subjects = append(subjects, Product{IDs: []string{"sha256:" + strings.ToLower(d)}})
		}
	}
	return readOpenVEX(in.Predicate, subjects)
}
