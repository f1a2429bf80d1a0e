package vex

import (
	"fmt"

	"github.com/boltseal/boltseal"
)

// csafName is a "full product name" of CSAF 2.0, section 3.1.3.
type csafName struct {
	ID     string `json:"product_id"`
	Helper struct {
		PURL   string `json:"purl"`
		CPE    string `json:"cpe"`
		Hashes []struct {
			Files []struct {
				Algorithm string `json:"algorithm"`
				Value     string `json:"value"`
			} `json:"file_hashes"`
		} `json:"hashes"`
	} `json:"product_identification_helper"`
}

type csafBranch struct {
	Branches []csafBranch `json:"branches"`
	Product  *csafName    `json:"product"`
}

// csafDocument is the part of CSAF 2.0 (sections 3.2.1 to 3.2.3) that decides.
type csafDocument struct {
	Document struct {
		Publisher struct {
			Name string `json:"name"`
		} `json:"publisher"`
		Tracking struct {
			ID      string `json:"id"`
			Current string `json:"current_release_date"`
			Status  string `json:"status"`
		} `json:"tracking"`
	} `json:"document"`
	Tree struct {
		csafBranch
		Names         []csafName `json:"full_product_names"`
		Relationships []struct {
			Name  csafName `json:"full_product_name"`
			Part  string   `json:"product_reference"`
			Whole string   `json:"relates_to_product_reference"`
		} `json:"relationships"`
		Groups []struct {
			ID       string   `json:"group_id"`
			Products []string `json:"product_ids"`
		} `json:"product_groups"`
	} `json:"product_tree"`
	Vulnerabilities []csafVulnerability `json:"vulnerabilities"`
}

type csafVulnerability struct {
	CVE string `json:"cve"`
	IDs []struct {
		Text string `json:"text"`
	} `json:"ids"`
	Status struct {
		Affected    []string `json:"known_affected"`
		NotAffected []string `json:"known_not_affected"`
		Fixed       []string `json:"fixed"`
		Triage      []string `json:"under_investigation"`
	} `json:"product_status"`
	Flags   []csafRemark `json:"flags"`
	Threats []csafRemark `json:"threats"`
}

// csafRemark is a flag (label) or a threat (category and details) on products.
type csafRemark struct {
	Label    string   `json:"label"`
	Category string   `json:"category"`
	Details  string   `json:"details"`
	Products []string `json:"product_ids"`
	Groups   []string `json:"group_ids"`
}

type csafReader struct {
	doc      *Document
	products map[string]Product
	groups   map[string][]string
	spent    int // products handed out so far
}

func readCSAF(data []byte) (*Document, error) {
	var in csafDocument
	if err := decode(data, "CSAF", &in); err != nil {
		return nil, err
	}
	r := &csafReader{
		doc: &Document{
			Format: "CSAF", ID: in.Document.Tracking.ID, Author: in.Document.Publisher.Name, Time: moment(in.Document.Tracking.Current),
		},
		products: map[string]Product{}, groups: map[string][]string{},
	}
	r.branch(&in.Tree.csafBranch)
	for i := range in.Tree.Names {
		r.name(&in.Tree.Names[i])
	}
	for i := range in.Tree.Relationships {
		// "Part of Whole" is the part inside the whole, and nothing else. A whole
		// that is a relationship itself has no identifiers and matches nothing.
		rel := &in.Tree.Relationships[i]
		part, whole := r.products[rel.Part], r.products[rel.Whole]
		if rel.Name.ID == "" || len(part.IDs) == 0 || len(whole.IDs) == 0 || part.Parts != nil || whole.Parts != nil {
			continue
		}
		r.products[rel.Name.ID] = Product{IDs: whole.IDs, Parts: [][]string{part.IDs}}
	}
	for _, g := range in.Tree.Groups {
		r.groups[g.ID] = g.Products
	}
	for i := range in.Vulnerabilities {
		if err := r.vulnerability(&in.Vulnerabilities[i]); err != nil {
			return nil, err
		}
	}
	return r.doc, nil
}

func (r *csafReader) branch(b *csafBranch) {
	if b.Product != nil {
		r.name(b.Product)
	}
	for i := range b.Branches {
		r.branch(&b.Branches[i])
	}
}

func (r *csafReader) name(n *csafName) {
	ids := compact(n.Helper.PURL, n.Helper.CPE)
	for _, h := range n.Helper.Hashes {
		for _, f := range h.Files {
			if f.Algorithm == "sha256" && f.Value != "" {
				ids = append(ids, "sha256:"+f.Value)
			}
		}
	}
	if n.ID != "" && len(ids) > 0 {
		r.products[n.ID] = Product{IDs: ids}
	}
}

// spend counts products that were expanded, against documents that multiply
// groups.
func (r *csafReader) spend(n int) error {
	if r.spent += n; r.spent > maxProducts {
		return fmt.Errorf("CSAF: %w: more than %d products in all statements", boltseal.ErrLimit, maxProducts)
	}
	return nil
}

func (r *csafReader) vulnerability(v *csafVulnerability) error {
	names := compact(v.CVE)
	for _, id := range v.IDs {
		names = append(names, compact(id.Text)...)
	}
	labels, impacts := map[string]string{}, map[string]string{}
	for _, f := range v.Flags {
		if err := r.remark(labels, f, f.Label); err != nil {
			return err
		}
	}
	for _, t := range v.Threats {
		if t.Category != "impact" {
			continue
		}
		if err := r.remark(impacts, t, t.Details); err != nil {
			return err
		}
	}
	for _, group := range []struct {
		status Status
		ids    []string
	}{{Affected, v.Status.Affected}, {NotAffected, v.Status.NotAffected}, {Fixed, v.Status.Fixed}, {UnderInvestigation, v.Status.Triage}} {
		if err := r.spend(len(group.ids)); err != nil {
			return err
		}
		for _, id := range group.ids {
			s := Statement{Vulnerability: names, Status: group.status}
			if p, ok := r.products[id]; ok {
				s.Products = []Product{p}
			}
			if group.status == NotAffected {
				s.Justification, s.Impact = labels[id], impacts[id]
			}
			r.doc.add(s)
		}
	}
	return nil
}

func (r *csafReader) remark(into map[string]string, m csafRemark, text string) error {
	if err := r.spend(len(m.Products)); err != nil {
		return err
	}
	for _, id := range m.Products {
		into[id] = text
	}
	for _, g := range m.Groups {
		if err := r.spend(len(r.groups[g])); err != nil {
			return err
		}
		for _, id := range r.groups[g] {
			into[id] = text
		}
	}
	return nil
}
