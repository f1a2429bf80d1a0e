package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Columns returns the width of the terminal that w is, 0 if it is none.
func Columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil || n <= 0 {
		return 80
	}
	return n
}

// Color reports whether Out wants colours: a terminal that can, and no NO_COLOR
// (https://no-color.org: set and not empty).
func (c *Console) Color() bool {
	return Columns(c.Out) > 0 && c.Env("NO_COLOR") == "" && c.Env("TERM") != "dumb"
}
