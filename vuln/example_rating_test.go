package vuln_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln"
)

func ExampleScore() {
	score, severity, cvss, err := vuln.Score("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N")
	fmt.Println(score, severity, cvss, err)
	// Output: 7.5 high 3.1 <nil>
}

func ExampleReadKEV() {
	catalogue := `{"dateReleased": "2026-03-02T15:00:00Z", "vulnerabilities": [
		{"cveID": "CVE-2021-44228", "dateAdded": "2021-12-10", "dueDate": "2021-12-24", "knownRansomwareCampaignUse": "Known"}]}`
	released, err := vuln.ReadKEV(strings.NewReader(catalogue), func(k vuln.KEV) error {
		fmt.Println(k.CVE, k.Added.Format(time.DateOnly), k.Ransomware)
		return nil
	})
	fmt.Println(released.Format(time.DateOnly), err)
	// Output:
	// CVE-2021-44228 2021-12-10 true
	// 2026-03-02 <nil>
}

func ExampleReadEPSS() {
	scores := "#model_version:v4,score_date:2026-03-02T12:55:00Z\ncve,epss,percentile\nCVE-2021-44228,0.94358,0.99958\n"
	scored, err := vuln.ReadEPSS(strings.NewReader(scores), func(e vuln.EPSS) error {
		fmt.Printf("%s %.2f\n", e.CVE, e.Score)
		return nil
	})
	fmt.Println(scored.Format(time.DateOnly), err)
	// Output:
	// CVE-2021-44228 0.94
	// 2026-03-02 <nil>
}

func ExampleRank() {
	matches := []vuln.Match{
		{Advisory: vuln.Advisory{ID: "severe"}, Severity: boltseal.SeverityCritical},
		{Advisory: vuln.Advisory{ID: "running"}, Severity: boltseal.SeverityLow},
		{Advisory: vuln.Advisory{ID: "exploited"}, Exploited: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)},
	}
	vuln.Rank(matches, &vuln.RankOptions{InUse: func(m *vuln.Match) bool { return m.Advisory.ID == "running" }})
	for _, m := range matches {
		fmt.Println(m.Advisory.ID)
	}
	// Output:
	// exploited
	// running
	// severe
}
