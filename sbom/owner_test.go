package sbom

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestOwner(t *testing.T) {
	tr := newTree(map[string]string{
		"lib":                         "-> usr/lib",
		"usr/lib/node/a/package.json": "{}",
		"usr/lib/node/b/package.json": "{}",
		"opt/link":                    "-> ../usr/lib/node",
		"setup.json":                  "{}",
	})
	at := func(name, file string) *boltseal.Package {
		return &boltseal.Package{Type: "npm", Name: name, Locations: []boltseal.Location{{Path: file}}}
	}
	tr.packages = []*boltseal.Package{
		at("a", "usr/lib/node/a/package.json"),
		at("via-link", "opt/link/a/package.json"),
		at("b", "usr/lib/node/b/package.json"),
		at("root", "setup.json"),
		at("nowhere", "missing/package.json"),
		{Type: "npm", Name: "no-location"},
		{Type: "deb", Name: "node-a", PURL: "pkg:deb/debian/node-a@1", Files: []string{"lib/node/a/package.json", "missing/package.json"}},
		{Type: "deb", Name: "second", PURL: "pkg:deb/debian/second@1", Files: []string{"usr/lib/node/a/package.json", "setup.json"}},
	}
	tr.scan(t, Owner())
	owners := map[string]string{}
	for _, p := range tr.packages {
		owners[p.Name] = p.OwnedBy
	}
	require.Equal(t, map[string]string{
		"a": "pkg:deb/debian/node-a@1", "via-link": "pkg:deb/debian/node-a@1", "b": "", "root": "pkg:deb/debian/second@1",
		"nowhere": "", "no-location": "", "node-a": "", "second": "",
	}, owners)
}
