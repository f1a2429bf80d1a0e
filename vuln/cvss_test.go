package vuln

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// Vectors of FIRST's examples (first.org/cvss: v2/guide, v3.0/examples,
// v3.1/examples, v4.0/examples), with the scores that independent
// implementations are tested on as well.
func TestScoresOfFIRST(t *testing.T) {
	for _, c := range []struct {
		cve    string
		score  float64
		vector string
	}{
		{"CVE-2002-0392", 7.8, "AV:N/AC:L/Au:N/C:N/I:N/A:C"},
		{"CVE-2003-0818", 10, "AV:N/AC:L/Au:N/C:C/I:C/A:C"},
		{"CVE-2003-0062", 6.2, "AV:L/AC:H/Au:N/C:C/I:C/A:C"},

		{"CVE-2013-1937", 6.1, "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"},
		{"CVE-2009-0783", 4.2, "CVSS:3.0/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L"},
		{"CVE-2012-0384", 8.8, "CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"},
		{"CVE-2014-6271", 9.8, "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
		{"CVE-2014-9253", 5.4, "CVSS:3.0/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N"},

		{"CVE-2013-0375", 6.4, "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N"},
		{"CVE-2014-3566", 3.1, "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N"},
		{"CVE-2012-1516", 9.9, "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H"},
		{"CVE-2014-0160", 7.5, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"},
		{"CVE-2008-1447", 6.8, "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N"},
		{"CVE-2014-2005", 6.8, "CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
		{"CVE-2010-0467", 5.8, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:L/I:N/A:N"},
		{"CVE-2013-6014", 9.3, "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H"},
		{"CVE-2014-2019", 4.6, "CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N"},

		{"CVE-2022-41741", 7.3, "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"},
		{"CVE-2020-3549", 7.7, "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"},
		{"CVE-2020-3549, threat", 5.2, "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U"},
		{"CVE-2023-3089", 8.3, "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N"},
		{"CVE-2023-3089, environment", 8.1, "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N/CR:H/IR:L/AR:L/MAV:N/MAC:H/MVC:H/MVI:L/MVA:L"},
		{"CVE-2021-44714", 4.6, "CVSS:4.0/AV:L/AC:L/AT:N/PR:N/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"},
		{"CVE-2014-0160", 8.7, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N/E:A"},
		{"CVE-2021-44228", 10, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H/E:A"},
		{"CVE-2014-6271", 9.3, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:A"},
		{"CVE-2013-6014", 6.4, "CVSS:4.0/AV:A/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:H/SI:N/SA:H"},
	} {
		score, _, _, err := Score(c.vector)
		require.NoError(t, err)
		require.Equal(t, c.score, score, "%s %s", c.cve, c.vector)
	}
}

func TestScore(t *testing.T) {
	for vector, want := range map[string]struct {
		score float64
		cvss  string
	}{
		"AV:N/AC:L/Au:N/C:N/I:N/A:C":                                      {7.8, "2.0"}, // CVE-2002-0392
		"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H":                    {9.8, "3.0"},
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N":                    {6.1, "3.1"},
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N":                    {0, "3.1"},
		"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H": {10, "4.0"},
	} {
		score, severity, cvss, err := Score(vector)
		require.NoError(t, err)
		require.Equal(t, want.score, score, vector)
		require.Equal(t, want.cvss, cvss)
		require.Equal(t, boltseal.SeverityFromScore(want.score), severity)
	}
	for _, v := range []string{"", "high", "CVSS:5.0/AV:N", "CVSS:3.1/AV:N", "AV:N", strings.Repeat("A", 1000)} {
		_, severity, _, err := Score(v)
		require.ErrorIs(t, err, boltseal.ErrMalformed, v)
		require.Equal(t, boltseal.SeverityUnknown, severity)
	}
}

func FuzzScore(f *testing.F) {
	f.Add("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H")
	f.Add("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N")
	f.Add("AV:N/AC:L/Au:N/C:N/I:N/A:C")
	f.Fuzz(func(t *testing.T, v string) {
		score, severity, _, err := Score(v)
		require.Equal(t, err != nil, severity == boltseal.SeverityUnknown)
		require.True(t, score >= 0 && score <= 10)
	})
}
