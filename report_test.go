package boltseal_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

const schemaFile = "docs/report-v1.schema.json"

func rawSchema(t *testing.T) map[string]any {
	f, err := os.Open(schemaFile)
	require.NoError(t, err)
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	require.NoError(t, err)
	return doc.(map[string]any)
}

func compile(t *testing.T, doc any) *jsonschema.Schema {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("report.json", doc))
	s, err := c.Compile("report.json")
	require.NoError(t, err)
	return s
}

// closed forbids keys that the schema does not name, which the published one
// allows for the sake of later versions.
func closed(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			closed(e)
		}
		if v["type"] == "object" {
			v["additionalProperties"] = false
		}
	case []any:
		for _, e := range v {
			closed(e)
		}
	}
	return v
}

// fill sets every field, so that no key is missing from what is written.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2024, 5, 6, 7, 8, 9, 10, time.UTC)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Bool:
		v.SetBool(true)
	}
}

func written(t *testing.T, r *boltseal.Report) []byte {
	var b bytes.Buffer
	require.NoError(t, r.WriteJSON(&b))
	return b.Bytes()
}

func check(t *testing.T, s *jsonschema.Schema, doc []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	require.NoError(t, err)
	return s.Validate(v)
}

func TestReportSchema(t *testing.T) {
	open, exact := compile(t, rawSchema(t)), compile(t, closed(rawSchema(t)))
	var full boltseal.Report
	fill(reflect.ValueOf(&full).Elem())
	for i := range full.Findings {
		full.Findings[i].Exploited = "2024-05-06"
	}
	for name, r := range map[string]*boltseal.Report{"full": &full, "empty": {}, "example": example()} {
		require.NoError(t, check(t, open, written(t, r)), name)
		require.NoError(t, check(t, exact, written(t, r)), name)
	}
	doc := written(t, example())
	require.NoError(t, check(t, open, bytes.Replace(doc, []byte(`"complete"`), []byte(`"new": 1, "complete"`), 1)), "new keys may appear")
	for what, change := range map[string][2]string{
		"no verdict on completeness": {`"complete"`, `"completed"`},
		"another schema":             {"report/v1", "report/v2"},
		"a number for a severity":    {`"severity": "high"`, `"severity": 4`},
		"null for a list":            {`"checks": []`, `"checks": null`},
	} {
		broken := strings.Replace(string(doc), change[0], change[1], 1)
		require.NotEqual(t, string(doc), broken, what)
		require.Error(t, check(t, open, []byte(broken)), what)
	}
}

// TestReportSchemaNamesEveryField compares the schema with the Go types: the
// same keys, and those required that are always written.
func TestReportSchemaNamesEveryField(t *testing.T) {
	root := rawSchema(t)
	defs := root["$defs"].(map[string]any)
	var compare func(typ reflect.Type, node map[string]any, at string)
	compare = func(typ reflect.Type, node map[string]any, at string) {
		if ref, ok := node["$ref"].(string); ok {
			node = defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		}
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() == reflect.Slice {
			require.Equal(t, "array", node["type"], at)
			compare(typ.Elem(), node["items"].(map[string]any), at+"[]")
			return
		}
		if typ.Kind() != reflect.Struct || reflect.PointerTo(typ).Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
			return
		}
		props := node["properties"].(map[string]any)
		var keys, always []string
		for _, f := range reflect.VisibleFields(typ) {
			key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous || key == "-" {
				continue
			}
			keys = append(keys, key)
			if options == "" {
				always = append(always, key)
			}
			require.Contains(t, props, key, at)
			compare(f.Type, props[key].(map[string]any), at+"."+key)
		}
		var named, required []string
		for key := range props {
			named = append(named, key)
		}
		for _, key := range node["required"].([]any) {
			required = append(required, key.(string))
		}
		for _, l := range [][]string{keys, always, named, required} {
			slices.Sort(l)
		}
		require.Equal(t, keys, named, at)
		require.ElementsMatch(t, always, required, at)
	}
	compare(reflect.TypeFor[boltseal.Report](), root, "report")
}

// example is a report as a scan makes it.
func example() *boltseal.Report {
	created := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	const layer = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	at := []boltseal.Location{{Layer: layer, Path: "var/lib/dpkg/status"}}
	return &boltseal.Report{
		Image:  &boltseal.ReportImage{Name: "example.com/app:1", Digest: "sha256:bb", Platform: "linux/amd64", Created: &created},
		Distro: &boltseal.Distro{ID: "debian", VersionID: "12"},
		Layers: []boltseal.ReportLayer{{DiffID: layer, Kind: "base", Confidence: 0.9, Bytes: 10, Files: 2, Added: 3, Packages: 1}},
		Packages: []boltseal.ReportPackage{{
			Package: boltseal.Package{
				PURL: "pkg:deb/debian/libc6@2.36-9?distro=debian-12&upstream=glibc", Type: "deb", Namespace: "debian", Name: "libc6", Version: "2.36-9",
				Source: boltseal.Source{Name: "glibc"}, Files: []string{"never written"}, Locations: at,
			},
			Layer: layer, Paths: []string{"var/lib/dpkg/status"},
		}},
		Findings: []boltseal.Finding{{
			Kind: boltseal.KindVulnerability, Rule: "CVE-2024-2961", Title: "a < b && c > d", Severity: boltseal.SeverityHigh,
			Score: 8.8, EPSS: 0.93, Exploited: "2024-05-02",
			Package: "pkg:deb/debian/libc6@2.36-9?distro=debian-12&upstream=glibc", Locations: at, Fingerprint: "0123",
		}},
		Skipped: []boltseal.Skip{{Path: "opt/x.jar", Reason: "larger than the limit"}},
	}
}

func TestReportGolden(t *testing.T) {
	want, err := os.ReadFile("testdata/report.json")
	require.NoError(t, err)
	require.Equal(t, string(want), string(written(t, example())))
}

func TestReadReport(t *testing.T) {
	var full boltseal.Report
	fill(reflect.ValueOf(&full).Elem())
	full.Schema = boltseal.ReportSchema
	for i := range full.Packages { // what no report carries
		p := &full.Packages[i].Package
		p.Distro, p.Files, p.Provides = nil, nil, nil
	}
	got, err := boltseal.ReadReport(bytes.NewReader(written(t, &full)))
	require.NoError(t, err)
	require.Equal(t, &full, got)

	for _, bad := range []string{"", "{", "[]", "{}", `{"schema":"boltseal.report/v2"}`, `{"schema":"boltseal.report/v1","findings":[{"severity":"dire"}]}`} {
		_, err := boltseal.ReadReport(strings.NewReader(bad))
		require.ErrorIs(t, err, boltseal.ErrMalformed, bad)
	}
}

func TestWriteJSONLeavesTheReport(t *testing.T) {
	var r boltseal.Report
	doc := written(t, &r)
	require.Equal(t, boltseal.Report{}, r)
	var keys map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(doc, &keys))
	require.Equal(t, "[]", string(keys["findings"]))
}

func FuzzReadReport(f *testing.F) {
	var b bytes.Buffer
	require.NoError(f, example().WriteJSON(&b))
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, doc []byte) {
		r, err := boltseal.ReadReport(bytes.NewReader(doc))
		if err != nil {
			return
		}
		once := written(t, r)
		again, err := boltseal.ReadReport(bytes.NewReader(once))
		require.NoError(t, err)
		require.Equal(t, string(once), string(written(t, again)))
	})
}
