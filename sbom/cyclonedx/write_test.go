package cyclonedx

import (
	"bytes"
	"encoding/json"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/sbom/internal/document/sample"
)

func write(t testing.TB, r *boltseal.Report, o *WriteOptions) []byte {
	var b bytes.Buffer
	require.NoError(t, Write(&b, r, o))
	return b.Bytes()
}

func generic(t testing.TB, b []byte) map[string]any {
	var m map[string]any
	require.NoError(t, json.Unmarshal(b, &m))
	return m
}

// schema compiles the official schema with the two that it refers to.
func schema(t testing.TB) *jsonschema.Schema {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for name, url := range map[string]string{
		"bom-1.6.schema.json":  "http://cyclonedx.org/schema/bom-1.6.schema.json",
		"spdx.schema.json":     "http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json",
		"jsf-0.82.schema.json": "http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json",
	} {
		f, err := os.Open("testdata/" + name)
		require.NoError(t, err)
		doc, err := jsonschema.UnmarshalJSON(f)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		delete(doc.(map[string]any), "$id")
		require.NoError(t, c.AddResource(url, doc))
	}
	s, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	require.NoError(t, err)
	return s
}

func validate(t testing.TB, s *jsonschema.Schema, doc []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	require.NoError(t, err)
	return s.Validate(v)
}

func TestWriteIsValid(t *testing.T) {
	s := schema(t)
	require.NoError(t, validate(t, s, write(t, sample.Report(), nil)))
	require.NoError(t, validate(t, s, write(t, sample.Report(), &WriteOptions{Tool: "x", ToolVersion: "1", Compact: true, SerialNumber: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"})))
	require.NoError(t, validate(t, s, write(t, &boltseal.Report{}, nil)))
	require.NoError(t, validate(t, s, write(t, &boltseal.Report{Complete: true, Distro: sample.Report().Distro}, nil)))
	// The schema must be able to say no.
	require.Error(t, validate(t, s, write(t, sample.Report(), &WriteOptions{SerialNumber: "1"})))
}

func TestWriteIsReproducible(t *testing.T) {
	want := write(t, sample.Report(), nil)
	r := sample.Report()
	slices.Reverse(r.Packages)
	slices.Reverse(r.Findings)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(16))
	require.Equal(t, string(want), string(write(t, r, nil)))

	// Another package is another document.
	r.Packages[0].Version += "x"
	require.NotEqual(t, generic(t, want)["serialNumber"], generic(t, write(t, r, nil))["serialNumber"])
	// A version 5 UUID, RFC 9562 variant.
	require.Regexp(t, `^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, generic(t, want)["serialNumber"])
}

func TestWriteTime(t *testing.T) {
	at := func(r *boltseal.Report, o *WriteOptions) any {
		return generic(t, write(t, r, o))["metadata"].(map[string]any)["timestamp"]
	}
	r := sample.Report()
	require.Equal(t, "2024-05-06T06:08:09Z", at(r, nil))
	require.Equal(t, "2001-09-09T01:46:40Z", at(r, &WriteOptions{Created: time.Unix(1e9, 0)}))
	now := time.Now()
	require.Nil(t, at(&boltseal.Report{Created: &now}, nil))
}

func TestWriteContent(t *testing.T) {
	doc := generic(t, write(t, sample.Report(), nil))
	get := func(v any, path ...any) any {
		for _, p := range path {
			switch p := p.(type) {
			case int:
				v = v.([]any)[p]
			case string:
				v = v.(map[string]any)[p]
			}
		}
		return v
	}
	byName := map[string]any{}
	name := map[any]string{} // bom-ref → name
	for i, c := range get(doc, "components").([]any) {
		n := get(c, "name").(string)
		byName[n] = c
		require.NotContains(t, name, get(c, "bom-ref"), "component "+strconv.Itoa(i))
		name[get(c, "bom-ref")] = n + "@" + get(c, "version").(string)
	}
	require.Equal(t, "container", get(doc, "metadata", "component", "type"))
	require.Equal(t, "pkg:oci/app@sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc?arch=arm64&repository_url=registry.example:5000%2Fteam%2Fapp&tag=1.2",
		get(doc, "metadata", "component", "purl"))
	require.Equal(t, "operating-system", get(byName["debian"], "type"))

	// Identifiers to the letter, words as names, one expression alone.
	require.Equal(t, "MIT OR Apache-2.0", get(byName["mawk"], "licenses", 0, "expression"))
	require.Equal(t, "LGPL-2.1-or-later", get(byName["libc6"], "licenses", 0, "license", "id"))
	require.Equal(t, "GPL-2.0-only WITH GCC-exception-2.0", get(byName["libc6"], "licenses", 1, "license", "name"))
	require.Equal(t, "GPL-3+ with exception", get(byName["libstdc++6"], "licenses", 0, "license", "name"))

	require.Equal(t, "purl", get(byName["inner"], "evidence", "identity", 0, "field"))
	require.Equal(t, 0.9, get(byName["inner"], "evidence", "identity", 0, "confidence"))
	require.Equal(t, "other", get(byName["inner"], "evidence", "identity", 0, "methods", 1, "technique"))
	require.Equal(t, "app/a!b.war!WEB-INF/lib/c!d.jar!META-INF/maven/org.x/inner/pom.properties", get(byName["inner"], "evidence", "occurrences", 0, "location"))
	require.Equal(t, "pkg:deb/debian/gcc-12@12.2.0-14%2Bx?arch=source&distro=debian-12", get(byName["libstdc++6"], "pedigree", "ancestors", 0, "purl"))

	edges := map[string][]string{}
	for _, d := range get(doc, "dependencies").([]any) {
		var to []string
		for _, ref := range get(d, "dependsOn").([]any) {
			to = append(to, name[ref])
		}
		edges[name[get(d, "ref")]] = to
	}
	require.Equal(t, []string{"libc6@2.36-9+deb12u7", "mawk@1.3.4"}, edges["python3-yaml@1:6.0-3"], "awk is virtual, python3 is not there")
	require.Equal(t, []string{"b@1.0.0"}, edges["a@1.0.0"], "its own node_modules come first")
	require.Equal(t, []string{"b@2.0.0"}, edges["c@1.0.0"])
	require.Contains(t, edges, "libc6@2.36-9+deb12u7", "none is not unknown")
	require.Empty(t, edges["libc6@2.36-9+deb12u7"])
	require.NotContains(t, edges, "mawk@1.3.4")

	require.Equal(t, "incomplete", get(doc, "compositions", 0, "aggregate"))
	require.Equal(t, []any{map[string]any{"name": "boltseal:skipped", "value": "opt/big.jar: larger than the limit"}}, get(doc, "metadata", "properties"))

	vulns := get(doc, "vulnerabilities").([]any)
	require.Len(t, vulns, 2, "a secret is none")
	require.Equal(t, "libc6@2.36-9+deb12u7", name[get(vulns[0], "affects", 0, "ref")])
	require.Equal(t, "high", get(vulns[0], "ratings", 0, "severity"))
	require.Equal(t, 8.8, get(vulns[0], "ratings", 0, "score"))
	require.Equal(t, "DSA-5673-1", get(vulns[0], "references", 0, "id"))
	require.Equal(t, "https://example.com/a?b=c%20d", get(vulns[0], "advisories", 0, "url"))
	require.Len(t, get(vulns[0], "advisories"), 1)
	require.Equal(t, "unaffected", get(vulns[0], "affects", 0, "versions", 1, "status"))
	require.Equal(t, "not in the execute path", get(vulns[1], "analysis", "detail"))
	require.Len(t, get(vulns[1], "affects"), 1, "of two places, the one it speaks of")
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
