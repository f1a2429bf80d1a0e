package orchestrator

import (
	"context"
	"iter"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/boltseal/boltseal"
)

// Verifier decides whether an image may be trusted. The package has no network:
// whoever wants signatures checked brings one.
type Verifier interface {
	// VerifyImage returns pass for an image signed by whom the caller trusts,
	// fail for one that is not, unknown where that could not be found out, and
	// why. It is called once for each reference, and must end when ctx does.
	VerifyImage(ctx context.Context, image string) (verdict boltseal.Verdict, reason string)
}

// imageChecks is the family I: which bytes will run.
func imageChecks() []*Check {
	checks := []*Check{{
		ID: "I01", Title: "image without a fixed tag", Severity: boltseal.SeverityMedium, Source: appChecklist,
		Doc:   "No tag means latest, and latest means whatever was pushed last: two pods of one workload can run different programs.",
		Fix:   "Name the image by digest, or by a tag that is never moved.",
		Judge: func(p *Pass) { p.eachImage(imageFloating) },
		CEL:   celImages(`!i.contains('@') && (!i.split('/')[i.split('/').size() - 1].contains(':') || i.endsWith(':latest'))`),
	}, {
		ID: "I02", Title: "image without a digest", Severity: boltseal.SeverityLow, Source: appChecklist,
		Doc:   "A tag can be moved to other bytes by whoever can push; a digest cannot.",
		Fix:   "Append @sha256:… to the image.",
		Judge: func(p *Pass) { p.eachImage(imageNoDigest) },
		CEL:   celImages(`!i.contains('@')`),
	}, {
		ID: "I03", Title: "image of a registry that is not listed", Severity: boltseal.SeverityHigh, Source: appChecklist, Needs: "Registries",
		Doc:   "The image comes from somewhere nobody agreed to.",
		Fix:   "Pull from a registry of the list, or add this one.",
		Judge: func(p *Pass) { p.eachImage(imageForeign) },
		CEL: celImages(`!$registries.exists(r, ` + celFullName + `.startsWith(r + '/') || r.contains('/') && ` +
			`(` + celFullName + ` == r || ` + celFullName + `.startsWith(r + ':')))`),
	}, {
		ID: "I04", Title: "movable tag that is not pulled again", Severity: boltseal.SeverityLow, Source: appChecklist,
		Doc:   "With IfNotPresent each node keeps what it first saw under the tag: nodes differ, and a fix behind the same tag never arrives.",
		Fix:   "Name the image by digest, or set imagePullPolicy: Always.",
		Judge: func(p *Pass) { p.eachImage(imageStale) },
		CEL: flat(`$containers.filter(c, !c.?image.orValue('').contains('@') && ` + celPullPolicy + ` == 'IfNotPresent')` +
			`.map(c, c.name + ': ' + c.?image.orValue(''))`),
	}, {
		ID: "I05", Title: "image never pulled", Severity: boltseal.SeverityLow, Source: appChecklist,
		Doc:   "What runs is what somebody put on the node, whatever the registry holds, and no pull secret is asked for.",
		Fix:   "Set imagePullPolicy: IfNotPresent or Always.",
		Judge: func(p *Pass) { p.eachImage(imageNeverPulled) },
		CEL:   flat(`$containers.filter(c, c.?imagePullPolicy.orValue('') == 'Never').map(c, c.name + ': ' + c.?image.orValue(''))`),
	}, {
		ID: "I06", Title: "image volume that breaks the rules for images", Severity: boltseal.SeverityMedium, Source: "KEP-4639",
		Doc:   "An image mounted as a volume is code and configuration as well; it is held to I01 to I05.",
		Fix:   "As for the rule that the evidence names.",
		Judge: judgeImageVolumes,
	}, {
		ID: "I07", Title: "image without a trusted signature", Severity: boltseal.SeverityHigh, Source: appChecklist, Needs: "Verifier",
		Doc: "Nobody whom the caller trusts vouches for these bytes.",
		Fix: "Sign the image in the pipeline that builds it.",
		Judge: func(p *Pass) {
			for i := range p.images() {
				switch verdict, why := p.run.verify(i.reference); verdict {
				case boltseal.VerdictFail:
					p.Fail(Evidence{Container: i.container, Path: i.path, Value: i.reference, Detail: why})
				case boltseal.VerdictUnknown:
					p.Unknown("%s: %s", i.reference, why)
				}
			}
		},
	}}
	for _, c := range checks {
		c.Judges = workloadResources()
	}
	return checks
}

// image is one image that a pod names.
type image struct {
	container string
	path      string
	policy    corev1.PullPolicy
	policyAt  string
	reference string
	volume    bool
}

// images yields the images of containers and of volumes.
func (p *Pass) images() iter.Seq[image] {
	return func(yield func(image) bool) {
		for c := range p.Containers() {
			if c.Image != "" && !yield(image{c.Name, c.Path("image"), c.ImagePullPolicy, c.Path("imagePullPolicy"), c.Image, false}) {
				return
			}
		}
		for i, v := range p.Spec.Volumes {
			at := element(p.Path+".volumes", i, "image")
			if v.Image != nil && v.Image.Reference != "" && !yield(image{"", at + ".reference", v.Image.PullPolicy, at + ".pullPolicy", v.Image.Reference, true}) {
				return
			}
		}
	}
}

// eachImage applies a rule to the images of containers.
func (p *Pass) eachImage(rule func(image, *PostureOptions) (Evidence, bool)) {
	for i := range p.images() {
		if i.volume {
			return
		}
		if e, bad := rule(i, p.Options); bad {
			p.Fail(e)
		}
	}
}

func judgeImageVolumes(p *Pass) {
	rules := []struct {
		id   string
		rule func(image, *PostureOptions) (Evidence, bool)
	}{{"I01", imageFloating}, {"I02", imageNoDigest}, {"I03", imageForeign}, {"I04", imageStale}, {"I05", imageNeverPulled}}
	none := true
	for i := range p.images() {
		if !i.volume {
			continue
		}
		none = false
		for _, r := range rules {
			if r.id == "I03" && len(p.Options.Registries) == 0 {
				continue
			}
			if e, bad := r.rule(i, p.Options); bad {
				e.Detail = r.id
				p.Fail(e)
			}
		}
	}
	if none {
		p.NotApplicable("no image volumes")
	}
}

func imageFloating(i image, _ *PostureOptions) (Evidence, bool) {
	_, tag, digest := splitImage(i.reference)
	return Evidence{Container: i.container, Path: i.path, Value: i.reference}, digest == "" && (tag == "" || tag == "latest")
}

func imageNoDigest(i image, _ *PostureOptions) (Evidence, bool) {
	_, _, digest := splitImage(i.reference)
	return Evidence{Container: i.container, Path: i.path, Value: i.reference}, digest == ""
}

func imageForeign(i image, o *PostureOptions) (Evidence, bool) {
	name, _, _ := splitImage(i.reference)
	name = fullImageName(name)
	listed := slices.ContainsFunc(o.Registries, func(r string) bool {
		return name == r && strings.Contains(r, "/") || strings.HasPrefix(name, r+"/")
	})
	return Evidence{Container: i.container, Path: i.path, Value: i.reference}, !listed
}

func imageStale(i image, _ *PostureOptions) (Evidence, bool) {
	_, tag, digest := splitImage(i.reference)
	if digest != "" {
		return Evidence{}, false
	}
	policy := i.policy
	if policy == "" && tag != "" && tag != "latest" {
		policy = corev1.PullIfNotPresent
	}
	return Evidence{Container: i.container, Path: i.policyAt, Value: string(policy), Default: i.policy == "", Detail: i.reference}, policy == corev1.PullIfNotPresent
}

func imageNeverPulled(i image, _ *PostureOptions) (Evidence, bool) {
	return Evidence{Container: i.container, Path: i.policyAt, Value: string(i.policy), Detail: i.reference}, i.policy == corev1.PullNever
}

// splitImage cuts a reference into name, tag and digest; what is not there is
// empty. A colon before the last slash belongs to a registry's port.
func splitImage(reference string) (name, tag, digest string) {
	name, digest, _ = strings.Cut(reference, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name, tag = name[:colon], name[colon+1:]
	}
	return name, tag, digest
}

// fullImageName adds the registry and the folder that runtimes read into a
// short name: nginx is docker.io/library/nginx.
func fullImageName(name string) string {
	first, _, found := strings.Cut(name, "/")
	switch {
	case found && (strings.ContainsAny(first, ".:") || first == "localhost"):
		return name
	case found:
		return "docker.io/" + name
	}
	return "docker.io/library/" + name
}

// celImages lists the images of containers for which a rule about i holds.
func celImages(rule string) string {
	return `$containers.map(c, [c.?image.orValue('')].filter(i, i != '' && ` + rule + `).map(i, c.name + ': ' + i))`
}

// celPullPolicy is the pull policy of c that holds: without one, Always for
// latest and no tag, else IfNotPresent.
const celPullPolicy = `c.?imagePullPolicy.orValue(` +
	`c.?image.orValue('').split('/')[c.?image.orValue('').split('/').size() - 1].contains(':') && !c.?image.orValue('').endsWith(':latest') ? 'IfNotPresent' : 'Always')`

// celFullName is the image i as fullImageName completes it, with its tag.
const celFullName = `((i.contains('/') && (i.split('/')[0].contains('.') || i.split('/')[0].contains(':') || i.split('/')[0] == 'localhost') ? '' : ` +
	`i.contains('/') ? 'docker.io/' : 'docker.io/library/') + i.split('@')[0])`
