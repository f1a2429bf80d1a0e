package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/report"
)

func sampleFleet() *report.Fleet {
	f := &report.Fleet{
		Name: "registry.example.com, mirror.example.com:5000", At: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Images: 500, References: 620,
		Worst: map[string]int{"critical": 12, "high": 130, "medium": 41, "unknown": 3},
		Gaps:  []string{"registry.example.com/team/app@sha256:1 could not be analysed: layer \x1b[31m<b>broken</b>"},
		Facts: []report.FleetFact{{Name: "Advisories", Value: "98,112, the newest of 2026-03-03"}, {Name: "Looked at everything", Value: "3m ago, in 12.4s"}, {Name: "Store", Value: "14.2 MB, 733 events"}},
		Issues: []report.FleetIssue{
			{Rule: "DSA-6001-1", Title: "openssl: remote code execution in the TLS handshake", Severity: boltseal.SeverityCritical, Exploited: "2026-03-02", Aliases: []string{"CVE-2026-1000"},
				Packages: []string{"deb:debian/libssl3", "deb:debian/openssl"}, Fixed: []string{"3.0.15-1~deb12u1"}, Images: 12, Names: []string{"registry.example.com/team-1/app-1:1.0 and 3 more tags", "registry.example.com/team-1/" + strings.Repeat("a-very-long-name/", 9) + "x:1"}},
			{Rule: "CVE-2026-7", Title: "<script>alert(1)</script>", Severity: boltseal.SeverityHigh, Packages: []string{"apk:alpine/zlib"}, Images: 130},
			{Rule: "CVE-2026-8", Severity: boltseal.SeverityUnknown, Packages: []string{"npm:lodash"}, Fixed: []string{"4.17.21"}, Images: 3},
		},
		More: 7,
		Events: []report.FleetEvent{{Time: time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC), Kind: "vulnerability.opened", Text: "DSA-6001-1 in deb:debian/libssl3 3.0.11-1~deb12u2, critical, 12 images"},
			{Time: time.Date(2026, 3, 4, 4, 0, 0, 0, time.UTC), Kind: "image.new", Text: "registry.example.com/team-1/app-1:1.0"}},
	}
	for i := range 30 {
		d := report.FleetDay{Date: time.Date(2026, 2, 3+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)}
		if i%4 == 1 {
			d.Opened, d.Closed = 7*i, 90-3*i
		}
		f.Days = append(f.Days, d)
	}
	f.Teams = []report.FleetTeam{
		{Name: "shop <b>", Images: 300, Worst: map[string]int{"critical": 2, "unknown": 1}, Exploited: 2, Fixable: 3, Incomplete: 4},
		{Images: 200, Worst: map[string]int{}},
	}
	return f
}

func TestFleetHTML(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.FleetHTML(&b, sampleFleet()))
	page := b.String()
	require.Contains(t, page, "500 images behind 620 tags, by their worst issue; 314 without any known one")
	require.Contains(t, page, "&lt;script&gt;alert(1)&lt;/script&gt;")
	require.Contains(t, page, `\x1b[31m&lt;b&gt;broken`)
	require.Contains(t, page, "3 of 10")
	require.Contains(t, page, "shop &lt;b&gt;")
	require.Regexp(t, `2 critical</span> <span class="sev unknown">1 unknown</span> <span class="soft">4 not judged`, page)
	require.Contains(t, page, "no team known")
	require.NotContains(t, page, "ZgotmplZ")
	require.NotRegexp(t, `(?i)\sstyle=|<link|<img|<iframe|\son\w+=|@import|url\(`, page)

	b.Reset()
	require.NoError(t, report.FleetHTML(&b, &report.Fleet{}))
	require.Contains(t, b.String(), "None known.")
	require.Contains(t, b.String(), "Nothing has happened yet.")
	require.NotContains(t, b.String(), "Not all is known")
	require.NotContains(t, b.String(), "Teams")
	b.Reset()
	require.NoError(t, report.FleetHTML(&b, &report.Fleet{Gaps: []string{"x"}}))
	require.Contains(t, b.String(), "None known in what could be looked at.", "nothing found is not clean")
}

func TestFleetInABrowser(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.FleetHTML(&b, sampleFleet()))
	ctx, problems := browser(t, b.Bytes())
	const list = `document.querySelectorAll("[data-list]")[0]`
	rules := `Array.from(` + list + `.querySelectorAll("tbody tr")).filter(r => !r.hidden).map(r => r.querySelector(".rule").textContent)`
	require.Equal(t, []string{"DSA-6001-1", "CVE-2026-7", "CVE-2026-8"}, eval[[]string](t, ctx, rules))
	eval[any](t, ctx, `{const c = `+list+`.querySelector("[name=kev]"); c.checked = true; c.dispatchEvent(new Event("input")); null}`)
	require.Equal(t, []string{"DSA-6001-1"}, eval[[]string](t, ctx, rules))
	eval[any](t, ctx, `{const c = `+list+`.querySelector("[name=kev]"); c.checked = false; c.dispatchEvent(new Event("input")); `+list+`.querySelectorAll("thead button")[4].click(); null}`)
	require.Equal(t, []string{"CVE-2026-8", "DSA-6001-1", "CVE-2026-7"}, eval[[]string](t, ctx, rules), "by number of images")
	require.True(t, eval[bool](t, ctx, `Array.from(document.querySelectorAll("input, select")).every(e => e.labels.length === 1)`))
	require.Equal(t, int64(16), eval[int64](t, ctx, `document.querySelectorAll(".trend rect").length`), "a bar for what opened and for what closed on eight days")
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{390, 1280} {
			name := "fleet-" + scheme + map[int64]string{390: "-phone", 1280: "-desktop"}[width]
			t.Run(name, func(t *testing.T) {
				require.NoError(t, chromedp.Run(ctx,
					emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
					chromedp.EmulateViewport(width, 900)))
				eval[any](t, ctx, `document.querySelectorAll("details").forEach((d, i) => d.open = i === 0)`)
				require.LessOrEqual(t, eval[int64](t, ctx, `document.documentElement.scrollWidth`), width, "no scrolling sideways")
				require.Empty(t, eval[[]string](t, ctx, lowContrast), "text of less than 4.5:1 (WCAG 2.2, 1.4.3)")
				if dir := os.Getenv("BOLTSEAL_SCREENSHOTS"); dir != "" {
					var png []byte
					require.NoError(t, chromedp.Run(ctx, chromedp.FullScreenshot(&png, 100)))
					require.NoError(t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644))
				}
			})
		}
	}
	require.Empty(t, problems())
}
