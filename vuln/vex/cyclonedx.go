package vex

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/boltseal/boltseal/internal/purl"
)

type cdxComponent struct {
	Ref        string         `json:"bom-ref"`
	PURL       string         `json:"purl"`
	CPE        string         `json:"cpe"`
	Components []cdxComponent `json:"components"`
}

// cdxAffects is a component, or versions of it.
type cdxAffects struct {
	Ref      string `json:"ref"`
	Versions []struct {
		Version string `json:"version"`
		Range   string `json:"range"`
		Status  string `json:"status"`
	} `json:"versions"`
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
		Affects []cdxAffects `json:"affects"`
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
		whole := true
		for i := range v.Affects {
			products, why := cdxProducts(refs, &v.Affects[i])
			if why != "" {
				whole = false
				doc.skip(s.Vulnerability, why)
			}
			s.Products = append(s.Products, products...)
		}
		if whole || len(s.Products) > 0 {
			doc.add(s)
		}
	}
	return doc, nil
}

// cdxProducts returns what an entry of "affects" names: a component, or those of
// its versions that are listed one by one. The state of the analysis is that of
// the versions with status "affected", the default; what it means for others,
// and for ranges, is left out and said in why.
func cdxProducts(refs map[string][]string, a *cdxAffects) (products []Product, why string) {
	ids := cdxResolve(refs, a.Ref)
	if len(ids) == 0 {
		return nil, ""
	}
	if len(a.Versions) == 0 {
		return []Product{{IDs: ids}}, ""
	}
	p, err := purl.Parse(ids[0])
	if err != nil {
		return nil, fmt.Sprintf("lists versions of %.80q, which is no package URL", ids[0])
	}
	stated := p.Version
	for _, v := range a.Versions {
		switch {
		case v.Version == "":
			why = fmt.Sprintf("has a range of versions (%.80q), which is not applied", v.Range)
		case v.Status != "" && v.Status != "affected":
			why = fmt.Sprintf("has versions with status %.20q, which is not applied", v.Status)
		case stated != "" && stated != v.Version:
			why = fmt.Sprintf("lists version %.80q of %.80q", v.Version, ids[0])
		default:
			p.Version = v.Version
			products = append(products, Product{IDs: []string{p.String()}})
		}
	}
	return products, why
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
