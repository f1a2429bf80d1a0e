package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/boltseal/boltseal"
)

// trusted is a Verifier from a list of digests that somebody vouches for: what
// a pipeline wrote after it had checked signatures. The program itself asks no
// registry.
type trusted map[string]bool

var digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// readTrusted reads a digest a line, alone or behind the name of an image; #
// begins a remark.
func readTrusted(r io.Reader) (trusted, error) {
	list := trusted{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		d := text[strings.LastIndexByte(text, '@')+1:]
		if !digest.MatchString(d) {
			return nil, fmt.Errorf("line %d: %q: want NAME@sha256:… or sha256:…", n, text)
		}
		list[d] = true
	}
	return list, lines.Err()
}

// VerifyImage trusts the digests of the list, and can say nothing of a tag.
func (t trusted) VerifyImage(_ context.Context, image string) (boltseal.Verdict, string) {
	_, d, pinned := strings.Cut(image, "@")
	switch {
	case !pinned:
		return boltseal.VerdictUnknown, "a tag may be moved to other bytes: only an image named by its digest can be held against -trusted"
	case t[d]:
		return boltseal.VerdictPass, ""
	}
	return boltseal.VerdictFail, "its digest is not in the list of -trusted"
}
