package orchestrator

import "strings"

// tokenMounted reports whether the pod gets a token of its account: the pod's
// own field decides, then the account's, and without either it does.
func (p *Pass) tokenMounted() bool {
	if own := p.Spec.AutomountServiceAccountToken; own != nil {
		return *own
	}
	account := p.Workload.ServiceAccount()
	if sa := p.Snapshot.ServiceAccounts.Get(account.Namespace, account.Name); sa != nil {
		return !isFalse(sa.Object.AutomountServiceAccountToken)
	}
	return true
}

// judgeToken is W15. A token has a use if a binding names the account, or one
// of the groups that hold service accounts; what everybody authenticated may do
// is no reason to carry one.
func judgeToken(p *Pass) {
	if p.mirrorPod() || !p.tokenMounted() {
		return
	}
	account := p.Workload.ServiceAccount()
	if p.run.bound(account) {
		return
	}
	if p.Missing(resources("rbac.authorization.k8s.io", "rolebindings")...) || p.missingIn("", resources("rbac.authorization.k8s.io", "clusterrolebindings")...) {
		return
	}
	own := p.Spec.AutomountServiceAccountToken
	if own == nil && p.Snapshot.ServiceAccounts.Get(account.Namespace, account.Name) == nil && p.Missing(resources("", "serviceaccounts")...) {
		return
	}
	p.Fail(Evidence{
		Path: p.Path + ".automountServiceAccountToken", Value: "true", Default: own == nil,
		Detail: "no binding gives " + account.String() + " anything",
	})
}

// bound reports whether a binding beyond those that every cluster has names the
// account or a group of accounts that it is in.
func (r *postureRun) bound(account Subject) bool {
	r.boundOnce.Do(func() {
		r.boundTo = map[Subject]bool{}
		for b := range r.access().Bindings() {
			if strings.HasPrefix(b.RoleRef.Name, "system:") && b.Namespace == "" {
				continue
			}
			for _, s := range b.Subjects {
				if subject, ok := BoundSubject(s, b.Namespace); ok {
					r.boundTo[subject] = true
				}
			}
		}
	})
	for _, g := range account.Groups() {
		if g != GroupAuthenticated && r.boundTo[Group(g)] {
			return true
		}
	}
	return r.boundTo[account]
}

// imageUser settles W05 for a container whose pod leaves the user to the image.
func (p *Pass) imageUser(c Container, at string) {
	if p.Options.ImageUser == nil {
		p.Unknown("container %s: %s is not set, so the image decides the user; see PostureOptions.ImageUser", c.Name, at)
		return
	}
	user, ok := p.Options.ImageUser(c.Image)
	if !ok {
		p.Unknown("container %s: the user of image %s is not known", c.Name, c.Image)
		return
	}
	switch name, _, _ := strings.Cut(user, ":"); name {
	case "", "0", "root":
		p.Fail(Evidence{Container: c.Name, Path: at, Value: "0", Default: true, Detail: "the user of image " + c.Image})
	}
}
