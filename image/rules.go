package image

// Rules of findings that this package makes itself. Their kind is
// [github.com/boltseal/boltseal.KindIntegrity]: what an image says of itself is
// not so, or does not mean the same to everyone.
const (
	// RuleViewsDiffer: an archive holds an OCI layout and a Docker manifest which
	// lead to different images: of two clients that load it each runs another one.
	RuleViewsDiffer = "image/archive-views-differ"
	// RuleDigestMismatch: a layer does not have the size, the digest or the diffID
	// that the image states.
	RuleDigestMismatch = "image/digest-mismatch"
	// RuleAmbiguousLayer: container engines unpack a layer to different trees.
	RuleAmbiguousLayer = "image/ambiguous-layer"
	// RuleTOCMismatch: the table of contents from which lazy engines make the file
	// system tells of other files than the layer's tar.
	RuleTOCMismatch = "image/toc-mismatch"
)
