package image_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/image"
	"github.com/boltseal/boltseal/image/imagetest"
)

// keys reports private keys by their first line.
type keys struct{}

func (keys) Info() boltseal.Info { return boltseal.Info{ID: "example/keys", Version: 1} }

func (keys) Wants(name string, _ fs.DirEntry) bool { return filepath.Ext(name) == ".pem" }

func (keys) AnalyzeFile(_ context.Context, f *boltseal.File, p *boltseal.Pass) error {
	head, err := f.Head(11)
	if string(head) == "-----BEGIN " {
		p.Finding(boltseal.Finding{Kind: boltseal.KindSecret, Title: "a key"})
	}
	return err
}

// A key that a later layer deletes is still in the image.
func ExampleAnalyze() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	data, err := imagetest.OCI(
		imagetest.Layer{Entries: "d etc\nf etc/key.pem -----BEGIN PRIVATE KEY-----"},
		imagetest.Layer{Entries: "w etc/key.pem"},
	)
	if err != nil {
		panic(err)
	}
	name := filepath.Join(dir, "image.tar")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		panic(err)
	}

	ctx := context.Background()
	img, err := image.Open(ctx, "oci-archive:"+name, nil)
	if err != nil {
		panic(err)
	}
	defer img.Close()
	inv, err := image.Analyze(ctx, img, nil, keys{})
	if err != nil {
		panic(err)
	}
	for _, f := range inv.Findings {
		at := f.Locations[0]
		fmt.Println(f.Title, "in", at.Path, "deleted:", at.HiddenBy == string(img.Layers[1].DiffID))
	}
	// Output: a key in etc/key.pem deleted: true
}
