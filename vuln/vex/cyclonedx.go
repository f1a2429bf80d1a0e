package vex

import (
	"net/url"
	"strings"
)

type cdxComponent struct {
	Ref        string         `json:"bom-ref"`
	PURL       string         `json:"purl"`
	CPE        string         `json:"cpe"`
	Components []cdxComponent `json:"components"`
}

// cdxBOM is the part of a CycloneDX BOM that VEX uses: field "vulnerabilities"
// of the 1.4 to 1.7 schemas.
type cdxBOM struct {
	Serial   string `json:"serialNumber"`
	Metadata struct {
		Timestamp string        `json:"timestamp"`
		Component *cdxComponent `json:"component"`
		Authors   []struct {
			Name string `json:"name"`
		} `json:"authors"`
		Supplier struct {
			Name string `json:"name"`
		} `json:"supplier"`
	} `json:"metadata"`
	Components      []cdxComponent `json:"components"`
	Vulnerabilities []struct {
		ID         string `json:"id"`
		Published  string `json:"published"`
		Updated    string `json:"updated"`
		References []struct {
			ID string `json:"id"`
		} `json:"references"`
		Analysis struct {
			State         string   `json:"state"`
			Justification string   `json:"justification"`
			Detail        string   `json:"detail"`
			Response      []string `json:"response"`
			LastUpdated   string   `json:"lastUpdated"`
		} `json:"analysis"`
		Affects []struct {
			Ref      string `json:"ref"`
			Versions []struct {
				Version string `json:"version"`
				Range   string `json:"range"`
			} `json:"versions"`
		} `json:"affects"`
	} `json:"vulnerabilities"`
}

func readCycloneDX(data []byte) (*Document, error) {
	var in cdxBOM
	if err := decode(data, "CycloneDX", &in); err != nil {
		return nil, err
	}
	doc := &Document{Format: "CycloneDX", ID: in.Serial, Author: in.Metadata.Supplier.Name, Time: moment(in.Metadata.Timestamp)}
	if len(in.Metadata.Authors) > 0 {
		doc.Author = in.Metadata.Authors[0].Name
	}
	refs := map[string][]string{}
	if in.Metadata.Component != nil {
		cdxRefs(refs, []cdxComponent{*in.Metadata.Component})
	}
	cdxRefs(refs, in.Components)
	for _, v := range in.Vulnerabilities {
		if v.Analysis.State == "" {
			continue // a list of vulnerabilities, not a statement
		}
		s := Statement{
			Vulnerability: compact(v.ID),
			Justification: v.Analysis.Justification, Impact: v.Analysis.Detail,
			Action: strings.Join(v.Analysis.Response, ", "),
			Time:   moment(v.Analysis.LastUpdated),
		}
		if s.Time.IsZero() {
			s.Time = moment(v.Updated)
		}
		for _, r := range v.References {
			s.Vulnerability = append(s.Vulnerability, compact(r.ID)...)
		}
		switch v.Analysis.State {
		case "exploitable":
			s.Status = Affected
		case "in_triage":
			s.Status = UnderInvestigation
		case "resolved", "resolved_with_pedigree":
			s.Status = Fixed
		case "not_affected", "false_positive":
			s.Status = NotAffected
		}
		for _, a := range v.Affects {
			ids := cdxResolve(refs, a.Ref)
			if len(ids) > 0 && len(a.Versions) == 0 {
				s.Products = append(s.Products, Product{IDs: ids})
			}
		}
		doc.add(s)
	}
	return doc, nil
}

func cdxRefs(refs map[string][]string, components []cdxComponent) {
	for i := range components {
		c := &components[i]
		if ids := compact(c.PURL, c.CPE); c.Ref != "" && len(ids) > 0 {
			refs[c.Ref] = ids
		}
		cdxRefs(refs, c.Components)
	}
}

// cdxResolve returns what a reference names: a bom-ref of this document, or a
// BOM-Link to an element of this or another BOM ("urn:cdx:<serial>/<v>#<ref>"),
// of which the element's reference is known, and often is a package URL.
func cdxResolve(refs map[string][]string, ref string) []string {
	if strings.HasPrefix(ref, "urn:cdx:") {
		_, fragment, _ := strings.Cut(ref, "#")
		if s, err := url.PathUnescape(fragment); err == nil && !strings.HasPrefix(fragment, "pkg:") {
			fragment = s
		}
		ref = fragment
	}
	if ids := refs[ref]; ids != nil {
		return ids
	}
	return compact(ref)
}
