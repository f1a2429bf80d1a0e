package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// The drawing's measures, in its own units.
const (
	boxWidth, boxHeight = 214, 44
	columnGap, rowGap   = 70, 16
	graphMargin         = 10
	// drawnPaths bounds how many paths are drawn: more are a thicket. All are
	// written out.
	drawnPaths = 40
	nameRunes  = 25 // that fit into a box
)

// graphView is the drawing of attack paths: positions in columns by their
// distance from the goal, which stands at the right.
type graphView struct {
	Width, Height int
	Boxes         []graphBox
	Lines         []graphLine
	Left          int // paths that are not drawn
	Title         string
}

type graphBox struct {
	X, Y, W, H, TX, TY, LY int
	Kind, Name, Full       string
	Class                  string // start, goal, or empty
}

type graphLine struct {
	D, Class, Title string
	ID              string
	LX, LY          int
}

type graphNode struct {
	name  string
	depth int // steps to the goal, along the longest way drawn
	row   float64
	start bool
	goal  bool
	y     int
}

type graphEdge struct {
	from, to    string
	id, text    string
	conditional bool
}

// drawPaths lays the paths out; it returns nil for none.
func drawPaths(paths []AttackPath) *graphView {
	if len(paths) == 0 {
		return nil
	}
	v := &graphView{}
	if len(paths) > drawnPaths {
		v.Left = len(paths) - drawnPaths
		paths = paths[:drawnPaths]
	}
	nodes, edges := graphOf(paths)
	deepest := settleDepths(nodes, edges)
	columns := make([][]*graphNode, deepest+1)
	for _, n := range nodes {
		columns[n.depth] = append(columns[n.depth], n)
	}
	tallest := arrange(columns, nodes, edges)
	v.Width = 2*graphMargin + (deepest+1)*boxWidth + deepest*columnGap
	v.Height = 2*graphMargin + tallest*boxHeight + (tallest-1)*rowGap
	x := func(n *graphNode) int { return graphMargin + (deepest-n.depth)*(boxWidth+columnGap) }
	for _, column := range columns {
		free := v.Height - 2*graphMargin - len(column)*boxHeight - (len(column)-1)*rowGap
		for i, n := range column {
			n.y = graphMargin + free/2 + i*(boxHeight+rowGap)
			kind, name := splitName(n.name)
			box := graphBox{X: x(n), Y: n.y, W: boxWidth, H: boxHeight, TX: x(n) + 12, TY: n.y + 32, LY: n.y + 16, Kind: kind, Name: middle(name, nameRunes), Full: n.name}
			switch {
			case n.goal:
				box.Class = "goal"
			case n.start:
				box.Class = "start"
			}
			v.Boxes = append(v.Boxes, box)
		}
	}
	byName := map[string]*graphNode{}
	for _, n := range nodes {
		byName[n.name] = n
	}
	for _, e := range edges {
		from, to := byName[e.from], byName[e.to]
		x1, y1, x2, y2 := x(from)+boxWidth, from.y+boxHeight/2, x(to), to.y+boxHeight/2
		bend := max(30, (x2-x1)/2)
		if x2 <= x1 { // sideways or back: around
			bend = columnGap / 2
		}
		line := graphLine{
			D:  fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, x1+bend, y1, x2-bend, y2, x2-6, y2),
			ID: e.id, LX: x1 + 8, LY: y1 - 6, Title: e.text,
		}
		if e.conditional {
			line.Class = "maybe"
		}
		v.Lines = append(v.Lines, line)
	}
	v.Title = fmt.Sprintf("%d ways to %s", len(paths), paths[0].To)
	return v
}

// Wide reports whether the drawing would be too small if it were made to fit the
// page: then it scrolls sideways.
func (v *graphView) Wide() bool { return v.Width > 1600 }

// graphOf collects the positions and the steps between them, each once.
func graphOf(paths []AttackPath) (nodes []*graphNode, edges []graphEdge) {
	byName := map[string]*graphNode{}
	node := func(name string) *graphNode {
		n := byName[name]
		if n == nil {
			n = &graphNode{name: name}
			byName[name] = n
			nodes = append(nodes, n)
		}
		return n
	}
	seen := map[string]bool{}
	for _, p := range paths {
		node(p.To).goal = true
		node(p.From).start = true
		for _, s := range p.Steps {
			to := node(s.To)
			for _, f := range s.From {
				from := node(f)
				key := f + "\x00" + s.To + "\x00" + s.ID
				if from == to || seen[key] {
					continue
				}
				seen[key] = true
				edges = append(edges, graphEdge{f, s.To, s.ID, s.Text, s.Conditional})
			}
		}
	}
	return nodes, edges
}

// settleDepths gives each position its distance from the goal. The rounds are
// bounded: paths may run in circles when they are laid over each other.
func settleDepths(nodes []*graphNode, edges []graphEdge) (deepest int) {
	byName := map[string]*graphNode{}
	known := map[string]bool{}
	for _, n := range nodes {
		byName[n.name] = n
		known[n.name] = n.goal
	}
	for range len(nodes) {
		changed := false
		for _, e := range edges {
			from, to := byName[e.from], byName[e.to]
			if known[e.to] && !from.goal && (!known[e.from] || from.depth > to.depth+1) {
				from.depth, known[e.from], changed = to.depth+1, true, true
			}
		}
		if !changed {
			break
		}
	}
	for _, n := range nodes {
		deepest = max(deepest, n.depth)
	}
	return deepest
}

// arrange orders each column so that lines cross little: by the mean row of
// what a position leads to.
func arrange(columns [][]*graphNode, nodes []*graphNode, edges []graphEdge) (tallest int) {
	byName := map[string]*graphNode{}
	for _, n := range nodes {
		byName[n.name] = n
	}
	for _, column := range columns {
		for _, n := range column {
			sum, count := 0.0, 0
			for _, e := range edges {
				if to := byName[e.to]; e.from == n.name && to.depth < n.depth {
					sum += to.row
					count++
				}
			}
			if count > 0 {
				n.row = sum / float64(count)
			}
		}
		slices.SortStableFunc(column, func(a, b *graphNode) int { return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.name, b.name)) })
		for i, n := range column {
			n.row = float64(i) - float64(len(column)-1)/2
		}
		tallest = max(tallest, len(column))
	}
	return tallest
}

// splitName cuts a position into its kind and its name, for two lines.
func splitName(s string) (kind, name string) {
	for _, prefix := range []string{"code in ", "root on node ", "admin of namespace ", "all secrets of namespace ", "secret ", "any pod in namespace ", "cloud role ", "service account ", "user ", "group "} {
		rest, ok := strings.CutPrefix(s, prefix)
		if !ok {
			continue
		}
		kind = strings.TrimSpace(prefix)
		if parts := strings.Split(rest, "/"); len(parts) == 3 { // a workload: namespace/kind/name
			return kind + " " + parts[1], parts[0] + "/" + parts[2]
		}
		return kind, rest
	}
	if kind, name, ok := strings.Cut(s, ":"); ok && !strings.ContainsAny(kind, " /") {
		return kind, name
	}
	return "", s
}

// middle shortens a name in its middle: both ends tell.
func middle(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n/2]) + "…" + string(r[len(r)-(n-n/2-1):])
}
