package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/internal/report"
)

// words says what the library says in the words of the command line.
func words(s string) string {
	return strings.NewReplacer(
		"LoadOptions.Complete says that there is no more", "-complete says that there is no more",
		"; see PostureOptions.ImageUser", "",
		"PostureOptions.Registries is not set, so there is nothing to judge by", "say with -registry where images may come from",
		"PostureOptions.Verifier is not set, so there is nothing to judge by", "say with -trusted which images somebody vouches for",
	).Replace(s)
}

// remark writes something worth knowing.
func remark(c *cli.Console, format string, args ...any) {
	c.Remark("%s", words(fmt.Sprintf(format, args...)))
}

// say writes a line of an answer.
func say(c *cli.Console, format string, args ...any) { line(c.Out, format, args...) }

// line writes one line with the indentation of its format.
func line(w io.Writer, format string, args ...any) {
	text := strings.TrimLeft(format, " ")
	fmt.Fprintln(w, format[:len(format)-len(text)]+report.Clean(words(fmt.Sprintf(text, args...))))
}
