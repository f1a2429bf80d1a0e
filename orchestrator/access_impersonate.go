package orchestrator

import (
	"slices"
	"strings"
)

// Impersonation is what a request's Impersonate headers ask for.
type Impersonation struct {
	User   string
	Groups []string
	UID    string
	Extra  map[string][]string
}

// authenticationGroup holds the resources of impersonation.
const authenticationGroup = "authentication.k8s.io"

// CanImpersonate decides whether a subject may send a request as somebody else.
// Whether that other may do it is a further question: one for [Access.Can].
//
// Each mode of constrained impersonation (KEP-5284, on by default since 1.36)
// needs two rights: impersonate:MODE on the identity and impersonate-on:MODE:VERB
// on what the request is about. Where none applies, the older verb impersonate
// is tried: on users, groups and serviceaccounts of the core group, on uids and
// userextras/KEY of authentication.k8s.io; each user, group and value needs its
// own right.
//
// The mode associated-node asks for the node that the sender's token is bound
// to, which no object shows: with both its rights the answer is unknown.
func (a *Access) CanImpersonate(s Subject, as Impersonation, q Request, groups ...string) Decision {
	plain := len(as.Groups) == 0 && as.UID == "" && len(as.Extra) == 0
	_, account := serviceAccountOf(as.User)
	node := strings.HasPrefix(as.User, nodeUser) && len(as.User) > len(nodeUser)
	unsure := ""
	try := func(mode string) (Decision, bool) {
		on := q
		on.Verb = "impersonate-on:" + mode + ":" + q.Verb
		first := a.Can(s, on, groups...)
		if first.Answer == NotGranted {
			return first, false
		}
		d := a.all(s, as.rights("impersonate:"+mode, authenticationGroup, node), groups)
		if d.Answer == Granted && first.Answer == Granted {
			d.Grants = append(d.Grants, first.Grants...)
			return d, true
		}
		if first.Answer == Unknown {
			d.Reason = first.Reason
		}
		if d.Answer != NotGranted {
			unsure = d.Reason
		}
		return d, false
	}
	if a.snap.Minor >= 36 {
		var modes []string
		switch {
		case node && plain:
			modes = []string{"associated-node", "arbitrary-node"}
		case account && plain:
			modes = []string{"serviceaccount"}
		case !node && !account && !slices.Contains(as.Groups, GroupMasters) && !slices.Contains(as.Groups, ""):
			modes = []string{"user-info"}
		}
		for _, mode := range modes {
			d, ok := try(mode)
			if ok && mode == "associated-node" {
				unsure = "impersonating the node that a token is bound to needs such a token"
			} else if ok {
				return d
			}
		}
	}
	d := a.all(s, as.rights("impersonate", "", false), groups)
	if d.Answer == NotGranted && unsure != "" {
		d = Decision{Reason: unsure}
	}
	return d
}

// rights lists what impersonating needs, every one of them.
func (as Impersonation) rights(verb, group string, node bool) []Request {
	user := Request{Verb: verb, Group: group, Resource: "users", Name: as.User}
	if sa, ok := serviceAccountOf(as.User); ok {
		user.Resource, user.Namespace, user.Name = "serviceaccounts", sa.Namespace, sa.Name
	} else if node {
		user.Resource, user.Name = "nodes", strings.TrimPrefix(as.User, nodeUser)
		if strings.HasSuffix(verb, ":associated-node") {
			user.Name = "*"
		}
	}
	list := []Request{user}
	if as.UID != "" {
		list = append(list, Request{Verb: verb, Group: authenticationGroup, Resource: "uids", Name: as.UID})
	}
	for _, g := range as.Groups {
		list = append(list, Request{Verb: verb, Group: group, Resource: "groups", Name: g})
	}
	for key, values := range as.Extra {
		for _, v := range values {
			list = append(list, Request{Verb: verb, Group: authenticationGroup, Resource: "userextras", Subresource: key, Name: v})
		}
	}
	return list
}

// all decides several requests that are needed together.
func (a *Access) all(s Subject, list []Request, groups []string) Decision {
	out := Decision{Answer: Granted}
	for _, q := range list {
		d := a.Can(s, q, groups...)
		switch {
		case d.Answer == NotGranted:
			return Decision{Answer: NotGranted, Reason: q.String() + ": " + d.Reason}
		case d.Answer == Unknown:
			out = Decision{Reason: q.String() + ": " + d.Reason}
		case out.Answer == Granted:
			out.Grants = append(out.Grants, d.Grants...)
		}
	}
	return out
}
