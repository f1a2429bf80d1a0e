// Package registry works with OCI registries: it lists what they hold, reads
// and writes manifests and blobs, and copies images between them.
//
//	reg, err := registry.Open("registry.example.com", &registry.Options{Keychain: authn.DefaultKeychain})
//
//	for repo, err := range reg.Repositories(ctx) { … }
//	for tag, err := range reg.Tags(ctx, "shop/web") { … }
//
//	d, err := reg.Resolve(ctx, "shop/web", "1.4")       // one HEAD request
//	m, err := reg.Manifest(ctx, "shop/web", "1.4")      // verified against its digest
//	for d, err := range reg.Referrers(ctx, "shop/web", m.Digest, "") { … }
//
// One [Remote] per registry is meant to be kept and shared: it logs in once, and
// uses its connections again. It slows down when the registry asks for it.
//
// What a registry does not offer (a catalog, deletion) is an answer, not a
// failure: the error wraps [errors.ErrUnsupported]. What is not there wraps
// [io/fs.ErrNotExist], what the credentials do not open [io/fs.ErrPermission],
// what is asked too often is a *[ThrottleError].
//
// A [Monitor] watches registries without scanning them again: it keeps a [Store],
// one file, in step with what they list, and tells what a new generation of
// advisories changes for which image, tag, layer and package.
//
//	store, err := registry.OpenStore(ctx, "fleet.db")
//	m, err := registry.NewMonitor(store, registry.MonitorOptions{Sources: …, Indexer: …, Advisories: …})
//	for event, err := range m.Run(ctx, "my-sink") { … }
//
//	o, err := store.Overview(ctx)                              // what matters now
//	sums, err := store.Summaries(ctx, registry.ByRepository)   // and where
//
// The rules are those of the OCI distribution specification 1.1.1, and for the
// catalog, which it does not have, those of Docker's Registry HTTP API V2.
package registry
