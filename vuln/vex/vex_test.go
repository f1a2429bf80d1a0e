package vex

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

const image = "pkg:oci/shop@sha256:aa?repository_url=registry.example.com/shop"

const openVEXDoc = `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.com/vex/1","author":"Jo","timestamp":"2026-01-02T00:00:00Z","statements":[
{"vulnerability":{"name":"CVE-1","aliases":["GHSA-1"]},"products":[{"@id":"pkg:oci/shop","subcomponents":[{"@id":"pkg:npm/left-pad@1.0.0"}]}],"status":"not_affected","justification":"vulnerable_code_not_in_execute_path"},
{"vulnerability":{"name":"CVE-2"},"products":[{"@id":"pkg:npm/left-pad"}],"status":"not_affected","impact_statement":"never called","timestamp":"2026-01-01T00:00:00Z"},
{"vulnerability":{"name":"CVE-2"},"products":[{"@id":"pkg:npm/left-pad"}],"status":"affected","timestamp":"2026-02-01T00:00:00Z"},
{"vulnerability":{"name":"CVE-3"},"products":[{"@id":"pkg:npm/left-pad"}],"status":"not_affected"}]}`

const cycloneDXDoc = `{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:1","metadata":{"timestamp":"2026-01-02T00:00:00Z","authors":[{"name":"Al"}]},
"components":[{"type":"library","bom-ref":"a","purl":"pkg:npm/left-pad@1.0.0"}],
"vulnerabilities":[{"id":"CVE-1","analysis":{"state":"false_positive"},"affects":[{"ref":"a"}]},
{"id":"CVE-2","analysis":{"state":"resolved"},"affects":[{"ref":"urn:cdx:1/1#pkg%3Anpm%2Fleft-pad%401.0.0"}]},
{"id":"CVE-3","analysis":{"state":"in_triage"},"affects":[{"ref":"a"}]},{"id":"CVE-4","affects":[{"ref":"a"}]}]}`

const csafDoc = `{"document":{"csaf_version":"2.0","publisher":{"name":"Vendor"},"tracking":{"id":"V-1","current_release_date":"2026-01-02T00:00:00Z"}},
"product_tree":{"branches":[{"branches":[{"product":{"product_id":"shop","product_identification_helper":{"purl":"pkg:oci/shop"}}}]},
{"product":{"product_id":"pad","product_identification_helper":{"purl":"pkg:npm/left-pad@1.0.0"}}}],
"relationships":[{"category":"default_component_of","full_product_name":{"product_id":"shop:pad"},"product_reference":"pad","relates_to_product_reference":"shop"}],
"product_groups":[{"group_id":"g","product_ids":["shop:pad"]}]},
"vulnerabilities":[{"cve":"CVE-1","product_status":{"known_not_affected":["shop:pad"]},"flags":[{"label":"component_not_present","group_ids":["g"]}]},
{"cve":"CVE-2","product_status":{"fixed":["pad"]}},{"cve":"CVE-3","product_status":{"known_not_affected":["pad","unknown"]}}]}`

func findings() []boltseal.Finding {
	var out []boltseal.Finding
	for _, id := range []string{"CVE-1", "CVE-2", "CVE-3", "CVE-4"} {
		out = append(out, boltseal.Finding{Kind: boltseal.KindVulnerability, Rule: id, Package: "pkg:npm/left-pad@1.0.0?arch=x"})
	}
	return out
}

func read(t *testing.T, text string) *Document {
	doc, err := Read(strings.NewReader(text))
	require.NoError(t, err)
	return doc
}

func TestFormats(t *testing.T) {
	for format, want := range map[string][]string{
		openVEXDoc:   {"VEX not_affected (vulnerable_code_not_in_execute_path), by Jo on 2026-01-02 in https://example.com/vex/1", "", "", ""},
		cycloneDXDoc: {"VEX not_affected, by Al on 2026-01-02 in urn:uuid:1", "VEX fixed, by Al on 2026-01-02 in urn:uuid:1", "", ""},
		csafDoc:      {"VEX not_affected (component_not_present), by Vendor on 2026-01-02 in V-1", "VEX fixed, by Vendor on 2026-01-02 in V-1", "", ""},
	} {
		doc, fs := read(t, format), findings()
		require.Zero(t, Apply(fs, []*Document{doc}, &Options{Products: []string{image}}), doc.Format)
		require.Contains(t, fs[0].Evidence[0].Detail, "not applied")
		require.Empty(t, fs[0].Suppressed)
		doc.Trusted = true
		Apply(fs, []*Document{doc}, &Options{Products: []string{image}})
		for i := range want {
			require.Equal(t, want[i], fs[i].Suppressed, "%s %s", doc.Format, fs[i].Rule)
		}
	}
}

func TestPartHoldsOnlyInsideItsProduct(t *testing.T) {
	for _, text := range []string{openVEXDoc, csafDoc} {
		doc, fs := read(t, text), findings()
		doc.Trusted = true
		Apply(fs, []*Document{doc}, &Options{Products: []string{"pkg:oci/other"}})
		require.Empty(t, fs[0].Suppressed, doc.Format)
		Apply(fs, []*Document{doc}, nil)
		require.Empty(t, fs[0].Suppressed, doc.Format)
	}
}

func TestInvalidStatementsAreReported(t *testing.T) {
	require.Len(t, read(t, openVEXDoc).Skipped, 1) // not_affected without a reason
	require.Len(t, read(t, csafDoc).Skipped, 2)    // the same, and a product that is not in the tree
}

func TestAliasAndAttestation(t *testing.T) {
	doc := read(t, `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"shop","digest":{"sha256":"AA"}}],"predicateType":"https://openvex.dev/ns/v0.2.0","predicate":
	{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{"vulnerability":{"name":"CVE-9","aliases":["GHSA-9"]},"status":"fixed"}]}}`)
	doc.Trusted = true
	fs := []boltseal.Finding{{Kind: boltseal.KindVulnerability, Rule: "GHSA-9", Package: "pkg:npm/x@1"}, {Kind: boltseal.KindSecret, Rule: "GHSA-9"}}
	require.Equal(t, 1, Apply(fs, []*Document{doc}, &Options{Products: []string{"sha256:aa"}}))
	require.Equal(t, "VEX fixed", fs[0].Suppressed)
	require.Empty(t, fs[1].Suppressed)
}

func TestPackageURLs(t *testing.T) {
	for _, c := range []struct {
		statement, ours string
		want            bool
	}{
		{"pkg:npm/a", "pkg:npm/a@1", true},
		{"pkg:npm/a@1", "pkg:npm/a@1?x=y", true},
		{"pkg:npm/a@1?x=y", "pkg:npm/a@1", false},
		{"pkg:npm/a@2", "pkg:npm/a@1", false},
		{"pkg:npm/%40s/a", "pkg:npm/a@1", false},
		{"pkg:pypi/a", "pkg:npm/a", false},
		{"sha256:aa", "sha256:aa", true},
		{"", "", false},
		{"pkg:npm/a", "", false},
	} {
		require.Equal(t, c.want, anyMatch([]string{c.statement}, parseIDs([]string{c.ours})), "%v", c)
	}
}

func TestHostile(t *testing.T) {
	for _, in := range []string{"", "null", "[]", "{}", `{"@context":"x"}`, `{"@context":7}`, `{"bomFormat":"CycloneDX","components":7}`,
		strings.Repeat(`{"product_tree":{"branches":[`, 20000), `{"_type":"x","predicateType":"y"}`} {
		_, err := Read(strings.NewReader(in))
		require.ErrorIs(t, err, boltseal.ErrMalformed, "%.40s", in)
	}
	// Groups times flags: 1,500 remarks on a group of 1,500 products.
	var b strings.Builder
	b.WriteString(`{"document":{"csaf_version":"2.0"},"product_tree":{"product_groups":[{"group_id":"g","product_ids":["x"` + strings.Repeat(`,"x"`, 1500) + `]}]},"vulnerabilities":[{"cve":"C","flags":[{"group_ids":["g"]}`)
	b.WriteString(strings.Repeat(`,{"group_ids":["g"]}`, 1500) + `]}]}`)
	_, err := Read(strings.NewReader(b.String()))
	require.ErrorIs(t, err, boltseal.ErrLimit)
}

func TestLatestStatementCounts(t *testing.T) {
	text := func(author, status, time string) string {
		return `{"@context":"https://openvex.dev/ns/v0.2.0","author":"` + author + `","statements":[{"vulnerability":{"name":"CVE-1","aliases":["CVE-1"]},
			"products":[{"@id":"pkg:npm/left-pad"}],"status":"` + status + `","justification":"x","timestamp":"` + time + `"}]}`
	}
	old := read(t, text("Old", "not_affected", "2026-01-01T00:00:00Z"))
	young := read(t, text("Young", "affected", "2026-02-01T00:00:00Z"))
	foreign := read(t, text("Foreign", "affected", "2026-03-01T00:00:00Z"))
	same := read(t, text("Same", "fixed", "2026-02-01T00:00:00Z"))
	old.Trusted, young.Trusted, same.Trusted = true, true, true
	for _, c := range []struct {
		docs []*Document
		want string
	}{
		{[]*Document{old, foreign}, "VEX not_affected (x), by Old on 2026-01-01"},
		{[]*Document{old, young}, ""},
		{[]*Document{young, old}, ""},
		{[]*Document{young, same}, "VEX fixed (x), by Same on 2026-02-01"},
		{[]*Document{same, young}, ""},
	} {
		fs := findings()[:1]
		fs[0].Aliases = []string{"GHSA-1", "CVE-1"}
		Apply(fs, c.docs, nil)
		require.Equal(t, c.want, fs[0].Suppressed)
		require.Len(t, fs[0].Evidence, len(c.docs))
	}
}

// Of equally late statements of one document the last counts, on whichever name
// and level it speaks.
func TestLastStatementCounts(t *testing.T) {
	statement := func(name, product, status string) string {
		return `{"vulnerability":{"name":"` + name + `"},"products":[{"@id":"` + product + `"}],"status":"` + status + `","justification":"x"}`
	}
	a, b := statement("GHSA-1", "pkg:oci/shop", "not_affected"), statement("CVE-1", "pkg:npm/left-pad", "affected")
	for text, want := range map[string]int{a + "," + b: 0, b + "," + a: 1} {
		doc := read(t, `{"@context":"https://openvex.dev/ns/v0.2.0","statements":[`+text+`]}`)
		doc.Trusted = true
		fs := findings()[:1]
		fs[0].Aliases = []string{"GHSA-1"}
		require.Equal(t, want, Apply(fs, []*Document{doc}, &Options{Products: []string{image}}))
		require.Len(t, fs[0].Evidence, 1)
	}
}

func TestCycloneDXVersions(t *testing.T) {
	doc := read(t, `{"bomFormat":"CycloneDX","components":[{"bom-ref":"a","purl":"pkg:npm/left-pad"},{"bom-ref":"b","cpe":"cpe:/a:b"},{"bom-ref":"c","purl":"pkg:npm/left-pad@2"}],"vulnerabilities":[
	{"id":"CVE-1","analysis":{"state":"not_affected"},"affects":[{"ref":"a","versions":[{"version":"0.9"},{"version":"1.0.0","status":"affected"}]}]},
	{"id":"CVE-2","analysis":{"state":"not_affected"},"affects":[{"ref":"a","versions":[{"version":"0.9"}]}]},
	{"id":"CVE-3","analysis":{"state":"not_affected"},"affects":[{"ref":"a","versions":[{"range":"vers:npm/<2"},{"version":"1.0.0","status":"unaffected"}]}]},
	{"id":"CVE-4","analysis":{"state":"not_affected"},"affects":[{"ref":"b","versions":[{"version":"1"}]},{"ref":"c","versions":[{"version":"1.0.0"}]}]}]}`)
	doc.Trusted = true
	fs := findings()
	require.Equal(t, 1, Apply(fs, []*Document{doc}, nil))
	require.NotEmpty(t, fs[0].Suppressed)
	require.Len(t, doc.Skipped, 3)
	require.Contains(t, doc.Skipped[0].Reason, "statement on CVE-3")
}

// One statement with many names on many products, and one product with many
// identifiers in many statements.
func TestPairsAreBounded(t *testing.T) {
	many := func(s string, n int) string { return s + strings.Repeat(","+s, n-1) }
	for _, text := range []string{
		`{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{"vulnerability":{"name":"C","aliases":[` + many(`"C"`, 5000) + `]},"products":[` + many(`"p"`, 5000) + `],"status":"fixed"}]}`,
		`{"document":{"csaf_version":"2.0"},"product_tree":{"full_product_names":[{"product_id":"p","product_identification_helper":{"purl":"pkg:npm/a","hashes":[{"file_hashes":[` +
			many(`{"algorithm":"sha256","value":"a"}`, 5000) + `]}]}}]},"vulnerabilities":[{"cve":"C","product_status":{"fixed":[` + many(`"p"`, 5000) + `]}}]}`,
	} {
		_, err := Read(strings.NewReader(text))
		require.ErrorIs(t, err, boltseal.ErrLimit)
	}
}

// Many findings and many statements on the same vulnerability.
func BenchmarkApply(b *testing.B) {
	doc := &Document{Trusted: true}
	for i := range 10_000 {
		id := "pkg:rpm/redhat/p" + strconv.Itoa(i)
		doc.Statements = append(doc.Statements, Statement{Vulnerability: []string{"CVE-1"}, Status: Fixed, Products: []Product{{IDs: []string{id}}}})
	}
	var fs []boltseal.Finding
	for i := range 10_000 {
		fs = append(fs, boltseal.Finding{Kind: boltseal.KindVulnerability, Rule: "CVE-1", Package: "pkg:rpm/redhat/p" + strconv.Itoa(i) + "@1?arch=x86_64"})
	}
	for b.Loop() {
		for i := range fs {
			fs[i].Suppressed, fs[i].Evidence = "", nil
		}
		if n := Apply(fs, []*Document{doc}, nil); n != len(fs) {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(len(fs)*b.N)/b.Elapsed().Seconds(), "findings/s")
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{openVEXDoc, cycloneDXDoc, csafDoc, `{"_type":"x","predicateType":"https://openvex.dev/ns","predicate":{}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := Read(strings.NewReader(string(data)))
		if err != nil {
			require.True(t, errors.Is(err, boltseal.ErrMalformed) || errors.Is(err, boltseal.ErrLimit))
			return
		}
		fs := findings()
		require.Zero(t, Apply(fs, []*Document{doc}, &Options{Products: []string{image}}))
		doc.Trusted = true
		Apply(fs, []*Document{doc}, &Options{Products: []string{image}})
		require.Len(t, fs, 4)
	})
}
