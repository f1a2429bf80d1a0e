package report

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
)

//go:embed page
var pages embed.FS

// frame is what every page of ours shares: page/base.gohtml with its style and
// script. A page brings the templates "content" and "footer", and may bring
// further style.
type frame struct {
	Title string
	What  string // what this page is, beside the name of the house
	Nav   []navLink
	CSS   template.CSS
	JS    template.JS
	CSP   string
	Data  any
}

type navLink struct{ ID, Text string }

// writePage fills name.gohtml into the frame. The page's policy allows the one
// style and the one script in it, by their digests, and no request at all.
func writePage(w io.Writer, name string, f frame) error {
	t, err := template.ParseFS(pages, "page/base.gohtml", "page/"+name+".gohtml")
	if err != nil {
		return err
	}
	var css, js []byte
	for _, part := range []string{"base.css", name + ".css"} {
		b, err := pages.ReadFile("page/" + part)
		if err != nil {
			return err
		}
		css = append(css, b...)
	}
	if js, err = pages.ReadFile("page/table.js"); err != nil {
		return err
	}
	f.CSS, f.JS = template.CSS(css), template.JS(js)
	f.CSP = fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; base-uri 'none'; form-action 'none'", digest64(css), digest64(js))
	b := bufio.NewWriter(w)
	if err := t.ExecuteTemplate(b, "page", f); err != nil {
		return err
	}
	return b.Flush()
}

func digest64(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.StdEncoding.EncodeToString(sum[:])
}
