package spdx

import (
	"bytes"
	"encoding/json"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	upstream "github.com/spdx/tools-golang/json"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/sbom/internal/document/sample"
)

func write(t testing.TB, r *boltseal.Report, o *WriteOptions) []byte {
	var b bytes.Buffer
	require.NoError(t, Write(&b, r, o))
	return b.Bytes()
}

func schema(t testing.TB) *jsonschema.Schema {
	f, err := os.Open("testdata/spdx-schema-2.3.json")
	require.NoError(t, err)
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("spdx-schema-2.3.json", doc))
	s, err := c.Compile("spdx-schema-2.3.json")
	require.NoError(t, err)
	return s
}

func TestWriteIsValid(t *testing.T) {
	s := schema(t)
	for _, r := range []*boltseal.Report{sample.Report(), {}, {Complete: true, Distro: sample.Report().Distro}} {
		doc := write(t, r, nil)
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
		require.NoError(t, err)
		require.NoError(t, s.Validate(v))
		_, err = upstream.Read(bytes.NewReader(doc))
		require.NoError(t, err, "the reference reader reads it")
		// The schema must be able to say no.
		delete(v.(map[string]any), "name")
		require.Error(t, s.Validate(v))
	}
}

func TestWriteIsReproducible(t *testing.T) {
	want := write(t, sample.Report(), nil)
	r := sample.Report()
	slices.Reverse(r.Packages)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(16))
	require.Equal(t, string(want), string(write(t, r, nil)))

	r.Packages[0].Version += "x"
	require.NotEqual(t, parse(t, want).Namespace, parse(t, write(t, r, nil)).Namespace)
	require.Regexp(t, `^https://spdx\.org/spdxdocs/[^#]*-[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, parse(t, want).Namespace)
}

// parsed is the part of a document that the tests look at, by the names of the
// standard.
type parsed struct {
	Namespace string `json:"documentNamespace"`
	Comment   string `json:"comment"`
	Creation  struct {
		Created string `json:"created"`
	} `json:"creationInfo"`
	Packages []struct {
		ID       string `json:"SPDXID"`
		Name     string `json:"name"`
		Declared string `json:"licenseDeclared"`
		Purpose  string `json:"primaryPackagePurpose"`
		Analyzed *bool  `json:"filesAnalyzed"`
	} `json:"packages"`
	Licenses []struct {
		ID   string `json:"licenseId"`
		Text string `json:"extractedText"`
	} `json:"hasExtractedLicensingInfos"`
	Relationships []struct {
		A    string `json:"spdxElementId"`
		Type string `json:"relationshipType"`
		B    string `json:"relatedSpdxElement"`
	} `json:"relationships"`
}

func parse(t testing.TB, b []byte) (p parsed) {
	require.NoError(t, json.Unmarshal(b, &p))
	return p
}

func TestWriteTime(t *testing.T) {
	at := func(r *boltseal.Report, o *WriteOptions) string { return parse(t, write(t, r, o)).Creation.Created }
	require.Equal(t, "2024-05-06T06:08:09Z", at(sample.Report(), nil))
	require.Equal(t, "2001-09-09T01:46:40Z", at(sample.Report(), &WriteOptions{Created: time.Unix(1e9, 0)}))
	now := time.Now()
	require.Equal(t, "1970-01-01T00:00:00Z", at(&boltseal.Report{Created: &now}, nil))
}

func TestWriteContent(t *testing.T) {
	doc := parse(t, write(t, sample.Report(), nil))
	name := map[string]string{"SPDXRef-DOCUMENT": "document", "NONE": "none"}
	declared := map[string]string{}
	for _, p := range doc.Packages {
		require.NotContains(t, name, p.ID)
		require.Regexp(t, `^SPDXRef-[A-Za-z0-9.-]+$`, p.ID)
		require.False(t, *p.Analyzed)
		name[p.ID] = strings.ToLower(p.Purpose) + " " + p.Name
		declared[p.Name] = p.Declared
	}
	var edges []string
	for _, r := range doc.Relationships {
		require.Contains(t, name, r.A)
		require.Contains(t, name, r.B)
		edges = append(edges, name[r.A]+" "+r.Type+" "+name[r.B])
	}
	for _, want := range []string{
		"document DESCRIBES container Registry.example:5000/team/app:1.2",
		"container Registry.example:5000/team/app:1.2 CONTAINS operating_system debian",
		"container Registry.example:5000/team/app:1.2 CONTAINS library mawk",
		"library libc6 DEPENDS_ON none",
		"library python3-yaml DEPENDS_ON library mawk",
		"library python3-yaml CONTAINS library pyyaml",
		"library libstdc++6 GENERATED_FROM source gcc-12",
	} {
		require.Contains(t, edges, want)
	}
	require.NotContains(t, edges, "library mawk DEPENDS_ON none", "unknown is not none")
	require.Equal(t, "(MIT OR Apache-2.0)", declared["mawk"])
	require.Equal(t, "LGPL-2.1-or-later AND (GPL-2.0-only WITH GCC-exception-2.0)", declared["libc6"])
	require.Equal(t, "NOASSERTION", declared["python3-yaml"])
	require.Len(t, doc.Licenses, 1)
	require.Equal(t, "GPL-3+ with exception", doc.Licenses[0].Text)
	require.Equal(t, doc.Licenses[0].ID+" AND MIT", declared["libstdc++6"])
	require.Regexp(t, `^LicenseRef-[A-Za-z0-9.-]+$`, doc.Licenses[0].ID)
	require.Equal(t, incomplete, doc.Comment)
}

func BenchmarkWrite(b *testing.B) {
	r := sample.Report()
	one := r.Packages
	r.Packages = nil
	for i := range 200 {
		for _, p := range one {
			p.Locations = []boltseal.Location{{Path: strconv.Itoa(i)}}
			r.Packages = append(r.Packages, p)
		}
	}
	var buf bytes.Buffer
	for b.Loop() {
		buf.Reset()
		require.NoError(b, Write(&buf, r, nil))
	}
	b.ReportMetric(float64(len(r.Packages)*b.N)/b.Elapsed().Seconds(), "packages/s")
}
