// Package image opens container images from anywhere and reads every layer once.
//
//	img, err := image.Open(ctx, "oci-archive:shop.tar", nil)
//	if err != nil {
//		return err
//	}
//	defer img.Close()
//	for _, l := range img.Layers {
//		fmt.Println(l.DiffID, l.Size)
//	}
//
// [Analyze] runs analyzers over the layers and puts them together as a container
// engine would.
//
// This package knows files and directories. Registries and a Docker daemon are in
// its sub-packages remote and daemon: a program pays only for what it gives in
// [OpenOptions.Transports]. A caller with a store of their own brings a [Fetcher]
// to [Resolve], or fills in an [Image].
//
// Whatever an image claims is checked: manifests and configs against their
// digests when it is opened, layers against digest and diffID when they are read.
package image
