package boltseal

// AssetKind is what sort of thing can be attacked.
type AssetKind string

const (
	AssetImage      AssetKind = "image"
	AssetLayer      AssetKind = "layer"
	AssetPackage    AssetKind = "package"
	AssetRepository AssetKind = "repository"
	AssetContainer  AssetKind = "container"
	AssetWorkload   AssetKind = "workload"
	AssetAccount    AssetKind = "account"
	AssetNode       AssetKind = "node"
)

// Asset is something that can be attacked. Every layer names what it looked at
// as assets, so that one graph can hold them all.
type Asset struct {
	Kind AssetKind `json:"kind"`
	// Name is unique within the kind: an image's digest, a layer's diffID, a
	// workload's namespace/kind/name, an account's namespace/name.
	Name string `json:"name"`
	// Label is what a person calls it: a tag, a title.
	Label string `json:"label,omitempty"`
}

// ID returns kind:name, the form in which findings and edges refer to an asset.
func (a Asset) ID() string { return string(a.Kind) + ":" + a.Name }

// Edge says that whoever holds From gets, or can reach, To. Attack paths are
// walks along edges.
type Edge struct {
	From string `json:"from"` // an [Asset.ID]
	To   string `json:"to"`   // an [Asset.ID]
	// Relation is a verb in the third person: "contains", "runs", "mounts token
	// of", "can escalate to", "can reach".
	Relation string `json:"relation"`
	// Verdict is VerdictPass for an edge that is certain and VerdictUnknown for
	// one whose preconditions could not all be seen.
	Verdict  Verdict    `json:"verdict"`
	Evidence []Evidence `json:"evidence,omitempty"`
}
