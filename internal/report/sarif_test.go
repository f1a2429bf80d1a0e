package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/report"
)

// sarif writes r and validates the log against the standard's schema.
func sarif(t *testing.T, r *boltseal.Report) map[string]any {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, report.SARIF(&b, r, report.Tool{Name: "imagescan", Version: "1.2.3"}))
	f, err := os.Open("testdata/sarif-2.1.0-rtm.5.json")
	require.NoError(t, err)
	defer f.Close()
	schema, err := jsonschema.UnmarshalJSON(f)
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("sarif.json", schema))
	s, err := c.Compile("sarif.json")
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
	require.NoError(t, s.Validate(doc))
	var out map[string]any
	require.NoError(t, json.Unmarshal(b.Bytes(), &out))
	return out
}

func TestSARIF(t *testing.T) {
	log := sarif(t, sample())
	run := log["runs"].([]any)[0].(map[string]any)
	results := run["results"].([]any)
	require.Len(t, results, 9)
	first := results[0].(map[string]any)
	require.Equal(t, "CVE-2019-10744", first["ruleId"])
	require.Equal(t, "error", first["level"])
	require.Equal(t, "lodash 4.17.4: Prototype pollution in defaultsDeep. Fixed in 4.17.12.", first["message"].(map[string]any)["text"])
	require.Equal(t, boltseal.Fingerprint("vulnerability", "CVE-2019-10744", "pkg:npm/lodash@4.17.4", "srv/app/node_modules/lodash/package.json"),
		first["partialFingerprints"].(map[string]any)["boltsealFingerprint/v1"])

	byRule := map[string]map[string]any{}
	for i, r := range results {
		r := r.(map[string]any)
		byRule[r["ruleId"].(string)] = r
		rules := run["tool"].(map[string]any)["driver"].(map[string]any)["rules"].([]any)
		require.Equal(t, r["ruleId"], rules[int(r["ruleIndex"].(float64))].(map[string]any)["id"], "result %d points at its rule", i)
	}
	require.Equal(t, "warning", byRule["DEBIAN-CVE-2023-9999"]["level"], "unrated is not harmless")
	require.Equal(t, "note", byRule["CVE-2018-18074"]["level"])
	hostile := byRule["image/views"]
	require.Equal(t, `srv/\\x1b\[31mred\\u202egpj.exe: two clients see <b>two</b> images \[x\](http://evil) {{0}}.`, hostile["message"].(map[string]any)["text"])
	uri := hostile["locations"].([]any)[0].(map[string]any)["physicalLocation"].(map[string]any)["artifactLocation"].(map[string]any)["uri"]
	require.Equal(t, "srv/%1B%5B31mred%E2%80%AEgpj.exe", uri)
	require.Equal(t, "VEX: vulnerable_code_not_in_execute_path",
		byRule["GO-2022-0001"]["suppressions"].([]any)[0].(map[string]any)["justification"])

	inv := run["invocations"].([]any)[0].(map[string]any)
	require.Equal(t, false, inv["executionSuccessful"])
	require.Len(t, inv["toolExecutionNotifications"], 3)
}

func TestSARIFOfAnEmptyReport(t *testing.T) {
	sarif(t, &boltseal.Report{})
	r := &boltseal.Report{Complete: true, Findings: []boltseal.Finding{{Locations: []boltseal.Location{{Path: "../../etc/a b:c"}}}}}
	log := sarif(t, r)
	res := log["runs"].([]any)[0].(map[string]any)["results"].([]any)[0].(map[string]any)
	require.Equal(t, "etc/a%20b%3Ac", res["locations"].([]any)[0].(map[string]any)["physicalLocation"].(map[string]any)["artifactLocation"].(map[string]any)["uri"])
}
