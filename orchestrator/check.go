package orchestrator

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal"
)

// Check is one question asked of every object of some kinds: plain data, and
// one function. [Checks] is the catalogue; a caller's own check is another
// value of the same type.
type Check struct {
	ID       string // stable and unique: "W05"
	Title    string // what is wrong when it fails, in a few words
	Severity boltseal.Severity
	// Source is where the rule comes from: "CIS 5.2.7" is that recommendation
	// of the CIS Kubernetes Benchmark 1.12; other sources are named in full.
	Source string
	// Judges lists the kinds whose objects get a verdict, as plural resources.
	Judges []schema.GroupResource
	// Reads lists what else a verdict looks at.
	Reads []schema.GroupResource
	Doc   string // why it matters
	Fix   string // what to do
	// Needs names the field of [PostureOptions] without which there is nothing
	// to compare with, or is empty.
	Needs string
	// Judge looks at one object and says what it found. An object of which it
	// says nothing has passed.
	Judge func(*Pass)
	// CEL is the same rule for a ValidatingAdmissionPolicy: a list of lists of
	// strings, one string for each offence, none for an object in order. $spec
	// and $meta are the pod's or the template's, $containers all its containers,
	// $object the whole object, $registries the list in [VAPOptions]. CEL is
	// empty where the object alone cannot tell. See [VAP].
	CEL string

	// of names what the check judges where that is no kind of object: a part of
	// the control plane, or "cluster".
	of string
}

// String returns the ID and the title.
func (c *Check) String() string { return c.ID + " " + c.Title }

// Family returns the letter that the ID starts with: W workload, I image,
// K credentials, H host, X exposure, A admission, C control plane, R rights,
// D deprecation.
func (c *Check) Family() string {
	if c.ID == "" {
		return ""
	}
	return c.ID[:1]
}

// Checks returns the catalogue in the order of IDs within each family. The
// slice is the caller's, the checks are shared and must not be modified.
func Checks() []*Check {
	return slices.Concat(
		workloadChecks(), imageChecks(), credentialChecks(), hostChecks(), exposureChecks(),
		admissionChecks(), controlPlaneChecks(), rightsChecks(), deprecationChecks(),
	)
}

// SelectChecks returns the checks that the patterns name: an ID ("W05"), a
// family ("W") or "*". A pattern that starts with "-" takes out what it names.
// Unknown names are an error.
func SelectChecks(patterns ...string) ([]*Check, error) {
	all := Checks()
	on := make(map[*Check]bool, len(all))
	for _, pattern := range patterns {
		name, out := strings.CutPrefix(pattern, "-")
		found := false
		for _, c := range all {
			if name == "*" || strings.EqualFold(name, c.ID) || strings.EqualFold(name, c.Family()) {
				on[c] = !out
				found = true
			}
		}
		if !found {
			return nil, fmt.Errorf("select checks: %q: %w: want an ID such as W05, a family such as W, or *", pattern, boltseal.ErrMalformed)
		}
	}
	return slices.DeleteFunc(all, func(c *Check) bool { return !on[c] }), nil
}

func resources(group string, names ...string) []schema.GroupResource {
	out := make([]schema.GroupResource, len(names))
	for i, n := range names {
		out[i] = schema.GroupResource{Group: group, Resource: n}
	}
	return out
}

// workloadResources are the kinds that hold a pod or the template of one.
func workloadResources() []schema.GroupResource {
	return slices.Concat(
		resources("", "pods", "replicationcontrollers"),
		resources("apps", "deployments", "replicasets", "daemonsets", "statefulsets"),
		resources("batch", "jobs", "cronjobs"),
	)
}

func rbacResources() []schema.GroupResource {
	return resources("rbac.authorization.k8s.io", "roles", "rolebindings", "clusterroles", "clusterrolebindings")
}
