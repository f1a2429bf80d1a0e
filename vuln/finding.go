package vuln

import (
	"fmt"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// Finding is the match in the shared vocabulary. Its fingerprint is made of the
// advisory's ID, the package without its version and the path it was found at.
func (m *Match) Finding() boltseal.Finding {
	pkg, w := m.Package, m.Why()
	f := boltseal.Finding{
		Kind:       boltseal.KindVulnerability,
		Rule:       m.Advisory.ID,
		Title:      m.title(),
		Severity:   m.Severity,
		Score:      m.Score,
		EPSS:       m.EPSS,
		Package:    pkg.PURL,
		Fixed:      m.Fixed,
		Aliases:    names(slices.Concat(m.Advisory.Aliases, m.Advisory.Upstream, m.Also), m.Advisory.ID),
		Locations:  pkg.Locations,
		Fix:        m.fix(&w),
		Suppressed: m.Suppressed,
	}
	path := ""
	if len(pkg.Locations) > 0 {
		path = pkg.Locations[0].String()
	}
	f.Fingerprint = boltseal.Fingerprint(string(f.Kind), f.Rule, pkg.Type, pkg.Namespace, pkg.Name, path)
	f.References = m.references()
	evidence := func(t boltseal.Technique, format string, args ...any) {
		f.Evidence = append(f.Evidence, boltseal.Evidence{Technique: t, Detail: fmt.Sprintf(format, args...)})
	}
	evidence(boltseal.TechniqueOther, "%s (%s) lists %s %s in %s: %s", m.Advisory.ID, m.Advisory.Source, w.NameKind, w.Name, m.Ecosystem, w.Range)
	evidence(boltseal.TechniqueOther, "%s is at or past %q in %s order", w.Version, w.Event, w.Scheme)
	if w.NameField != "Name" {
		evidence(boltseal.TechniqueManifest, "looked up by the package's %s", w.NameField)
	}
	if m.RatedBy != "" {
		evidence(boltseal.TechniqueOther, "severity by %s", m.RatedBy)
	}
	if !m.Exploited.IsZero() {
		f.Exploited = date(m.Exploited)
		evidence(boltseal.TechniqueOther, "exploited in the wild: in CISA's catalogue since %s", f.Exploited)
	}
	if m.EPSS > 0 {
		evidence(boltseal.TechniqueOther, "EPSS %.5f (percentile %.4f)", m.EPSS, m.Percentile)
	}
	if m.Generation != "" {
		evidence(boltseal.TechniqueOther, "advisory database %s", m.Generation)
	}
	if w.Status != "" && !strings.Contains(w.Status, "=") {
		evidence(boltseal.TechniqueOther, "status by the source: %s", w.Status)
	}
	for _, c := range w.Caveats {
		evidence(boltseal.TechniqueOther, "may be wrong: %s", c)
	}
	return f
}

// title is the source's own, or made of the ID and the package's name.
func (m *Match) title() string {
	if m.Advisory.Title != "" {
		return m.Advisory.Title
	}
	id := m.Advisory.ID
	for _, list := range [][]string{m.Advisory.Aliases, m.Advisory.Upstream} {
		for _, a := range list {
			if strings.HasPrefix(a, "CVE-") && !strings.HasPrefix(id, "CVE-") && len(m.Advisory.Upstream) < 2 {
				return a + " in " + m.Package.Name
			}
		}
	}
	return id + " in " + m.Package.Name
}

func (m *Match) fix(w *Why) string {
	if m.Fixed == "" {
		return "no fixed version is known"
	}
	what := m.Package.Name
	if w.NameKind == "source" || w.NameKind == "origin" {
		if w.Name != what {
			what += " to one built from " + w.Name
			return "upgrade " + what + " " + m.Fixed + " or later"
		}
	}
	return "upgrade " + what + " to " + m.Fixed + " or later"
}

// references are the pages of those IDs whose address follows from the ID.
func (m *Match) references() []string {
	var out []string
	for _, id := range slices.Concat([]string{m.Advisory.ID}, m.Advisory.Aliases, m.Advisory.Upstream) {
		switch {
		case strings.HasPrefix(id, "CVE-"):
			out = append(out, "https://nvd.nist.gov/vuln/detail/"+id)
		case strings.HasPrefix(id, "GHSA-"):
			out = append(out, "https://github.com/advisories/"+id)
		case strings.HasPrefix(id, "GO-"):
			out = append(out, "https://pkg.go.dev/vuln/"+id)
		case strings.HasPrefix(id, "RUSTSEC-"):
			out = append(out, "https://rustsec.org/advisories/"+id+".html")
		case strings.HasPrefix(id, "UBUNTU-CVE-"):
			out = append(out, "https://ubuntu.com/security/"+strings.TrimPrefix(id, "UBUNTU-"))
		case strings.HasPrefix(id, "DEBIAN-CVE-"):
			out = append(out, "https://security-tracker.debian.org/tracker/"+strings.TrimPrefix(id, "DEBIAN-"))
		case strings.HasPrefix(id, "DSA-"), strings.HasPrefix(id, "DLA-"):
			out = append(out, "https://security-tracker.debian.org/tracker/"+id)
		}
	}
	return out
}
