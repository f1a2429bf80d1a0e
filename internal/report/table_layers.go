package report

import (
	"fmt"
	"strings"
)

// layers draws one line per layer, lowest first, its bar to scale: full blocks
// for bytes that a container sees, light ones for bytes that higher layers
// delete or replace.
func (t *table) layers() {
	if len(t.r.Layers) == 0 {
		return
	}
	t.line()
	kind := len("KIND")
	var largest int64
	for _, l := range t.r.Layers {
		kind, largest = max(kind, width(Clean(l.Kind))), max(largest, l.Bytes)
	}
	kind = min(kind, 14)
	// index 3, kind, size 8, bar, packages 5, two blanks between
	room := t.width - 3 - 2 - kind - 2 - 8 - 2 - 2 - 5
	bar := min(max(8, min(24, t.width/8)), max(0, room))
	rest := room - bar - 2
	head := pad("  #", 3) + "  " + pad("KIND", kind) + "  " + "    SIZE" + "  " + pad("", bar) + "  " + " PKGS"
	if rest >= 12 {
		head += "  " + fit("CREATED BY", rest)
	}
	t.line(t.paint(dim, head))
	for _, l := range t.r.Layers {
		full, light := scale(l.Bytes, l.Wasted, largest, bar)
		drawn := t.paint(cyan, strings.Repeat("█", full)) + t.paint(dim, strings.Repeat("░", light)) + strings.Repeat(" ", bar-full-light)
		s := fmt.Sprintf("%3d  %s  %8s  %s  %5d", l.Index, pad(Clean(l.Kind), kind), size(l.Bytes), drawn, l.Packages)
		if by := Clean(l.CreatedBy); by != "" && rest >= 12 {
			s += "  " + fit(by, rest)
		}
		t.line(strings.TrimRight(s, " "))
	}
	if t.sum.Wasted > 0 {
		t.text("     ", dim, fmt.Sprintf("░ %s that higher layers delete or replace: pulled, stored, never seen.", size(t.sum.Wasted)))
	}
}

// scale divides a bar of n cells. A layer with bytes has at least one cell.
func scale(bytes, wasted, largest int64, n int) (full, light int) {
	if bytes <= 0 || largest <= 0 {
		return 0, 0
	}
	cells := min(n, max(1, int(float64(bytes)/float64(largest)*float64(n)+0.5)))
	light = min(cells, max(0, int(float64(min(wasted, bytes))/float64(bytes)*float64(cells)+0.5)))
	return cells - light, light
}
