package report_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/report"
)

func TestHTML(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.HTML(&b, sample()))
	page := b.String()
	require.Contains(t, page, "registry.example.com/shop/storefront:1.4.2")
	require.Contains(t, page, "two clients see &lt;b&gt;two&lt;/b&gt; images", "markup is text")
	require.Contains(t, page, `srv/\x1b[31mred\u202egpj.exe`, "what acts on a reader is made visible")
	require.NotContains(t, page, "javascript:alert")
	require.NotContains(t, page, "ZgotmplZ")
	require.Contains(t, page, "This scan is incomplete.")
	require.Contains(t, page, "the database holds none; build one with imagescan db build")

	// The policy names exactly the style and the script that the page holds.
	csp := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)[1]
	csp = strings.NewReplacer("&#43;", "+", "&#39;", "'").Replace(csp)
	for _, tag := range []string{"style", "script"} {
		body := regexp.MustCompile(`(?s)<` + tag + `>(.*?)</` + tag + `>`).FindStringSubmatch(page)[1]
		sum := sha256.Sum256([]byte(body))
		require.Contains(t, csp, tag+"-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	require.NotRegexp(t, `(?i)\sstyle=|<link|<img|<iframe|\son\w+=|@import|url\(`, page, "nothing inline that the policy forbids, nothing loaded")
}

func TestHTMLOfAnEmptyReport(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.HTML(&b, &boltseal.Report{Complete: true}))
	require.Contains(t, b.String(), "Nothing found.")
	require.NotContains(t, b.String(), "incomplete")
	b.Reset()
	require.NoError(t, report.HTML(&b, &boltseal.Report{}))
	require.Contains(t, b.String(), "Nothing found in what could be read.")
	require.Contains(t, b.String(), "This scan is incomplete.")
}

// browser is a headless Chromium with the page open. Problems are what its
// console said.
func browser(t *testing.T, page []byte) (ctx context.Context, problems func() []string) {
	bin := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			bin = p
			break
		}
	}
	if bin == "" {
		t.Skip("no Chromium found: the page is not looked at (Debian: apt-get install chromium)")
	}
	// Not t.TempDir: the browser's helpers may still write to its profile when
	// it has ended, which is no failure of the page.
	dir, err := os.MkdirTemp("", "boltseal-report")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file := filepath.Join(dir, "report.html")
	require.NoError(t, os.WriteFile(file, page, 0o600))
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(bin), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the browser to end
		closeTab()
	})
	var mu sync.Mutex
	var said []string
	chromedp.ListenTarget(ctx, func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := ev.(type) {
		case *runtime.EventConsoleAPICalled:
			said = append(said, "console: "+string(e.Type))
		case *runtime.EventExceptionThrown:
			said = append(said, e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			said = append(said, e.Entry.Text)
		}
	})
	require.NoError(t, chromedp.Run(ctx, log.Enable(), chromedp.Navigate("file://"+file)))
	return ctx, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), said...)
	}
}

// eval runs JavaScript in the page.
func eval[T any](t *testing.T, ctx context.Context, js string) (v T) {
	t.Helper()
	require.NoError(t, chromedp.Run(ctx, chromedp.Evaluate(js, &v)))
	return v
}

func TestHTMLInABrowser(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.HTML(&b, sample()))
	ctx, problems := browser(t, b.Bytes())

	const list = `document.querySelectorAll("[data-list]")[0]`
	rules := `Array.from(` + list + `.querySelectorAll("tbody tr")).filter(r => !r.hidden).map(r => r.querySelector(".rule").textContent)`
	set := func(control, value string) {
		t.Helper()
		eval[any](t, ctx, `{const c = `+list+`.querySelector('`+control+`'); c.type === "checkbox" ? c.checked = `+value+` : c.value = `+value+`; c.dispatchEvent(new Event("input")); null}`)
	}
	click := func(head int) {
		t.Helper()
		eval[any](t, ctx, `{`+list+`.querySelectorAll("thead button")[`+string(rune('0'+head))+`].click(); null}`)
	}
	require.False(t, eval[bool](t, ctx, list+`.querySelector(".bar").hidden`), "controls appear with the script")
	require.Equal(t, []string{"CVE-2019-10744", "CVE-2021-44228", "CVE-2020-8203", "image/views", "DSA-5764-1", "CVE-2018-18074", "CVE-2023-9999", "CVE-2023-9999", "GO-2022-0001"}, eval[[]string](t, ctx, rules))

	t.Run("filter", func(t *testing.T) {
		set("[type=search]", `"LODASH pollution"`)
		require.Equal(t, []string{"CVE-2019-10744", "CVE-2020-8203"}, eval[[]string](t, ctx, rules))
		require.Equal(t, "2 of 9 shown", eval[string](t, ctx, list+`.querySelector("output").textContent`))
		set("[type=search]", `""`)
		set("[name=sev]", `"unknown"`)
		require.Equal(t, []string{"CVE-2023-9999", "CVE-2023-9999"}, eval[[]string](t, ctx, rules))
		set("[name=fix]", "true")
		require.Empty(t, eval[[]string](t, ctx, rules))
		require.False(t, eval[bool](t, ctx, list+`.querySelector(".empty").hidden`))
		set("[name=fix]", "false")
		set("[name=sev]", `""`)
		set("[name=layer]", `"1"`)
		require.Equal(t, []string{"DSA-5764-1", "CVE-2023-9999", "CVE-2023-9999"}, eval[[]string](t, ctx, rules))
		set("[name=layer]", `""`)
		set("[name=counts]", "true")
		require.NotContains(t, eval[[]string](t, ctx, rules), "GO-2022-0001")
		set("[name=counts]", "false")
	})
	t.Run("sort", func(t *testing.T) {
		click(2) // advisory, ascending: numbers inside names count as numbers
		require.Equal(t, []string{"CVE-2018-18074", "CVE-2019-10744", "CVE-2020-8203", "CVE-2021-44228", "CVE-2023-9999", "CVE-2023-9999", "DSA-5764-1", "GO-2022-0001", "image/views"}, eval[[]string](t, ctx, rules))
		click(2)
		require.Equal(t, "image/views", eval[[]string](t, ctx, rules)[0])
		require.Equal(t, "descending", eval[string](t, ctx, list+`.querySelectorAll("thead th")[2].getAttribute("aria-sort")`))
		click(0) // severity
		require.Equal(t, "CVE-2023-9999", eval[[]string](t, ctx, rules)[7], "unknown after low")
	})
	t.Run("keyboard", func(t *testing.T) {
		require.True(t, eval[bool](t, ctx, `Array.from(document.querySelectorAll("a[href], summary, input, select, button")).every(e => e.tabIndex >= 0)`))
		require.True(t, eval[bool](t, ctx, `Array.from(document.querySelectorAll("input, select")).every(e => e.labels.length === 1)`))
	})
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{390, 1280} {
			name := scheme + map[int64]string{390: "-phone", 1280: "-desktop"}[width]
			t.Run(name, func(t *testing.T) {
				require.NoError(t, chromedp.Run(ctx,
					emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
					chromedp.EmulateViewport(width, 900)))
				eval[any](t, ctx, `document.querySelectorAll("details").forEach((d, i) => d.open = i % 5 === 0)`)
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

// lowContrast lists visible text whose colour and nearest solid background have
// a contrast ratio below 4.5, by the formula of WCAG 2.2.
const lowContrast = `(() => {
  const rgb = (s) => s.match(/[\d.]+/g).map(Number);
  const lum = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((a, v, i) => a + v * [.2126, .7152, .0722][i], 0);
  const back = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
  const out = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.checkVisibility() || e.closest("svg, script, option")) continue;
    const a = lum(rgb(getComputedStyle(e).color)), b = lum(back(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) out.add(e.tagName + "." + e.className + " " + ratio.toFixed(2));
  }
  return Array.from(out);
})()`
