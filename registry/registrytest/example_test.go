package registrytest_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/registry/registrytest"
)

func Example() {
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := registry.OpenStore(context.Background(), filepath.Join(dir, "store"))
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	fleet := registrytest.Fleet{Seed: 1, Images: 100, Packages: 20}
	advisories := &registrytest.Advisories{Name: "monday"}
	for d, pkgs := range fleet.All() {
		if _, err := store.Put(d, registry.Inventory{Packages: pkgs}, advisories); err != nil {
			log.Fatal(err)
		}
	}
	next := advisories.Next("tuesday", func(n *registrytest.Advisories) { n.Fix(fleet.Name(0), "CVE-2026-1", 6) })
	e, err := store.Evaluate(context.Background(), next)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("versions with another outcome:", e.Changed)
	// Output: versions with another outcome: 5
}
