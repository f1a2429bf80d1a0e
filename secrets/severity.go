package secrets

import (
	"path"
	"strings"

	"github.com/boltseal/boltseal"
)

// adjust moves severity and confidence by what the place and the candidate
// itself say. Every step is noted.
func (v *view) adjust(c *Candidate) {
	note := func(text string) { c.Notes = append(c.Notes, text) }
	if c.Verdict == boltseal.VerdictPass {
		note("its checksum or structure is right")
	}
	if !c.Expires.IsZero() && c.Expires.Before(v.opts.now()) {
		c.Severity = lower(c.Severity)
		note("it has expired")
	}
	if v.place == placeImage {
		c.Severity = higher(c.Severity)
		note("whoever may pull the image reads it")
	}
	if word := samplePath(v.loc.Path, v.loc.Member); word != "" {
		c.Severity = lower(c.Severity)
		c.Confidence = min(c.Confidence+1, ConfidenceLow)
		note("the path says " + word)
	}
	for _, step := range v.via {
		note("decoded from " + step)
	}
}

func lower(s boltseal.Severity) boltseal.Severity {
	if s > boltseal.SeverityLow {
		s--
	}
	return s
}

func higher(s boltseal.Severity) boltseal.Severity {
	if s < boltseal.SeverityCritical {
		s++
	}
	return s
}

// samplePath returns the word of a path that says it holds tests, examples or
// documentation, or "".
func samplePath(name string, members []string) string {
	for _, p := range append([]string{name}, members...) {
		for part := range strings.SplitSeq(strings.ToLower(p), "/") {
			switch part {
			case "test", "tests", "testing", "testdata", "test-data", "__tests__", "spec", "specs", "fixture", "fixtures", "mock", "mocks", "__mocks__",
				"example", "examples", "sample", "samples", "demo", "demos", "doc", "docs", "man", "tutorial", "tutorials":
				return part
			}
		}
		base := strings.ToLower(path.Base(p))
		for _, end := range []string{"_test.go", ".test.js", ".test.ts", ".spec.js", ".spec.ts", "_spec.rb", "_test.py", ".example", ".sample", ".md", ".rst"} {
			if strings.HasSuffix(base, end) {
				return end
			}
		}
	}
	return ""
}
