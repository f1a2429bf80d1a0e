package imagetest

import (
	"slices"
	"strings"
)

// Case is an image and the tree that a container of it must see.
type Case struct {
	Name   string
	Doc    string // what is special
	Layers []Layer
	Want   string // lines as [Tree] returns them, in any order
	// Breaks says in what way containerd, which is the oracle of all other
	// cases, departs from the OCI specification here, or cannot unpack it.
	Breaks string
}

// Lines returns Want line by line, sorted by path.
func (c *Case) Lines() []string {
	var out []string
	for line := range strings.Lines(c.Want) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	slices.SortFunc(out, byPath)
	return out
}

// layers makes plain layers of descriptions.
func layers(entries ...string) []Layer {
	out := make([]Layer, len(entries))
	for i, e := range entries {
		out[i].Entries = e
	}
	return out
}

// Cases returns all edge images, those of every file of this package.
func Cases() []Case {
	return slices.Concat(whiteoutCases(), opaqueCases(), linkCases(), hardlinkCases(), typeCases(), nameCases(), encodingCases())
}
