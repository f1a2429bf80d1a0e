package image

import (
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// Step is one entry of an image's history, taken apart. It is what the image's
// author wrote: a hint, no proof.
type Step struct {
	// Builder is the tool that wrote the entry by its way of writing: docker,
	// buildkit, buildah, kaniko, ko, jib, apko, nix, buildpacks, bazel; empty
	// if nothing gives it away.
	Builder string
	// Verb is the Dockerfile instruction in upper case; empty for builders
	// without one.
	Verb string
	// Text is what follows the verb, or the whole entry: one line, the
	// builder's marks removed.
	Text string
	// From is the base image's name where buildah wrote one.
	From string
}

// instructions are those of a Dockerfile (Dockerfile reference).
var instructions = [...]string{
	"RUN", "COPY", "ADD", "CMD", "ENTRYPOINT", "ENV", "WORKDIR", "LABEL", "EXPOSE", "USER", "VOLUME",
	"ARG", "HEALTHCHECK", "ONBUILD", "SHELL", "STOPSIGNAL", "MAINTAINER", "FROM",
}

// parseStep reads a history entry: each builder writes created_by, author and
// comment its own way.
func parseStep(h v1.History) Step {
	s := strings.TrimSpace(h.CreatedBy)
	switch {
	case h.Author == "ko" || strings.HasPrefix(s, "ko build "):
		return Step{Builder: "ko", Text: oneLine(h.Comment)}
	case h.Author == "Jib":
		return Step{Builder: "jib", Text: oneLine(h.Comment)}
	case h.Author == "Bazel" || strings.HasPrefix(s, "bazel build "):
		return Step{Builder: "bazel", Text: oneLine(s)} // nothing of what the layer holds
	case h.Author == "apko" || s == "apko":
		return Step{Builder: "apko", Text: oneLine(s)}
	case strings.HasPrefix(h.Comment, "store paths: ["):
		return Step{Builder: "nix", Text: oneLine(h.Comment)}
	case strings.HasPrefix(s, "Layer: '") && strings.Contains(s, "Created by buildpack:"),
		s == "Application Layer", s == "Buildpacks Launcher Config", s == "Software Bill-of-Materials", s == "Buildpacks Process Types", strings.HasPrefix(s, "Application Slice"):
		return Step{Builder: "buildpacks", Text: oneLine(s)}
	}
	var st Step
	switch {
	case strings.HasPrefix(h.Comment, "buildkit."):
		st.Builder = "buildkit"
	case h.Author == "kaniko":
		st.Builder = "kaniko"
	}
	if i := strings.LastIndex(h.Comment, "FROM "); i >= 0 && (i == 0 || h.Comment[i-1] == '\n' || h.Comment[i-1] == ' ') {
		st.From, st.Builder = oneLine(h.Comment[i+len("FROM "):]), "buildah"
	}
	if t, ok := strings.CutSuffix(s, "# buildkit"); ok {
		s, st.Builder = strings.TrimSpace(t), "buildkit"
	}
	s = cutArgs(s)
	if t, ok := strings.CutPrefix(s, "/bin/sh -c #(nop)"); ok {
		s = strings.TrimSpace(t)
		if st.Builder == "" {
			st.Builder = "docker"
		}
	} else if t, ok := strings.CutPrefix(s, "/bin/sh -c "); ok {
		if st.Builder == "" {
			st.Builder = "docker"
		}
		st.Verb, st.Text = "RUN", oneLine(t)
		return st
	}
	verb, rest, _ := strings.Cut(s, " ")
	for _, v := range instructions {
		if strings.EqualFold(verb, v) {
			st.Verb = v
			rest = strings.TrimSpace(rest)
			if v == "RUN" {
				rest = strings.TrimPrefix(cutArgs(rest), "/bin/sh -c ")
			}
			st.Text = oneLine(rest)
			return st
		}
	}
	st.Text = oneLine(s)
	return st
}

// cutArgs removes the build arguments that stand before a command, as
// "|2 A=1 B=two words ". Values are not quoted, so the shell ends them.
func cutArgs(s string) string {
	if len(s) < 2 || s[0] != '|' || s[1] < '0' || s[1] > '9' {
		return s
	}
	if i := strings.Index(s, "/bin/sh -c "); i >= 0 {
		return s[i:]
	}
	return s
}

// oneLine makes one line of a text, of at most 500 bytes.
func oneLine(s string) string {
	const most = 500
	if len(s) > 4*most {
		s = s[:4*most]
	}
	s = printable(strings.Join(strings.Fields(strings.ToValidUTF8(s, "�")), " "))
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// steps pairs layers with the history entries that made them. It returns nil
// where the two do not fit: then nothing can be said.
func steps(img *Image) []Step {
	var out []Step
	for _, h := range img.Config.History {
		if !h.EmptyLayer {
			out = append(out, parseStep(h))
		}
	}
	if len(out) != len(img.Layers) {
		return nil
	}
	return out
}
