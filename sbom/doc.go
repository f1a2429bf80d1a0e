// Package sbom tells which packages a tree of files holds: those of the
// operating system's package manager, and those that programs brought along.
//
// It is a set of analyzers for whoever walks files: an image's layers, a host's
// root, a running container's.
//
//	inv, err := image.Analyze(ctx, img, nil, sbom.Analyzers()...)
//
// What lies in one file is found by AnalyzeFile, a pure function of that file
// which drivers cache with the layer. What several files tell together (the
// status of dpkg in one layer, its file lists in another, the release of the
// distribution in a third) is left as facts, and joined once per tree.
//
// # Rules for every source
//
//   - A package is installed, embedded or declared; see [boltseal.State].
//   - One bad record costs one record. Carriage returns, NULs, stray blank
//     lines, repeated and unknown keys are normal.
//   - Packages of a programming language whose files belong to a package of
//     the operating system stay in the list, marked OwnedBy.
//   - Every package of the operating system carries its distribution; without
//     one it has no namespace and no distro qualifier, and is still listed.
package sbom
