package orchestrator

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// RuleAllows reports whether a rule allows a request, as the RBAC authorizer
// matches them: everything is compared exactly and with case; only a lone "*"
// is a wildcard, and "*/log" one for the resource of a subresource.
//
//   - Resource "*" covers subresources, "pods" does not cover pods/log, and
//     "pods/*" covers nothing at all.
//   - An empty list of verbs, groups or resources matches nothing; an empty
//     list of names matches every name. The name "" matches requests without.
//   - A path matches exactly, or by its beginning up to a trailing "*":
//     "/debug/*" does not cover /debug.
func RuleAllows(r *rbacv1.PolicyRule, q Request) bool {
	if !listed(r.Verbs, q.Verb) {
		return false
	}
	if q.Path != "" {
		return pathMatches(r.NonResourceURLs, q.Path)
	}
	return listed(r.APIGroups, q.Group) && resourceMatches(r.Resources, q.Resource, q.Subresource) &&
		(len(r.ResourceNames) == 0 || slices.Contains(r.ResourceNames, q.Name))
}

// listed reports whether the list holds the value or the wildcard.
func listed(list []string, value string) bool {
	for _, v := range list {
		if v == value || v == "*" {
			return true
		}
	}
	return false
}

func resourceMatches(list []string, resource, sub string) bool {
	for _, v := range list {
		if v == "*" {
			return true
		}
		if sub == "" {
			if v == resource {
				return true
			}
			continue
		}
		base, ok := strings.CutSuffix(v, sub)
		if ok && (base == "*/" || len(base) == len(resource)+1 && base[len(resource)] == '/' && base[:len(resource)] == resource) {
			return true
		}
	}
	return false
}

func pathMatches(list []string, path string) bool {
	for _, v := range list {
		if v == path || strings.HasSuffix(v, "*") && strings.HasPrefix(path, strings.TrimRight(v, "*")) {
			return true
		}
	}
	return false
}
