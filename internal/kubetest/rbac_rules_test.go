package kubetest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/boltseal/boltseal/internal/kubetest"
	"github.com/boltseal/boltseal/orchestrator"
)

// TestWhatCanIsSelfSubjectRulesReview compares the rules that somebody has in a
// namespace with the API server's own list of them.
func TestWhatCanIsSelfSubjectRulesReview(t *testing.T) {
	c := kubetest.Running(t)
	w := newWorld(2000)
	w.create(t, c.Admin)
	defer w.remove(t, c.Admin)
	a := w.stored(t, c.Admin)
	asked, rules := 0, 0
	ask := func(who orchestrator.Subject) {
		conf := rest.CopyConfig(c.Config)
		conf.Impersonate = rest.ImpersonationConfig{UserName: who.UserName(), Groups: who.Groups()}
		for _, ns := range w.namespaces {
			got, err := kubetest.Client(t, conf).AuthorizationV1().SelfSubjectRulesReviews().Create(context.Background(),
				&authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: ns}}, metav1.CreateOptions{})
			require.NoError(t, err)
			var theirs, ours []string
			for _, r := range got.Status.ResourceRules {
				theirs = append(theirs, fmt.Sprintf("%q %q %q %q", r.Verbs, r.APIGroups, r.Resources, r.ResourceNames))
			}
			for g := range a.WhatCan(who) {
				if r := g.Rule(); (g.Namespace() == "" || g.Namespace() == ns) && len(r.Resources) > 0 {
					ours = append(ours, fmt.Sprintf("%q %q %q %q", r.Verbs, r.APIGroups, r.Resources, r.ResourceNames))
				}
			}
			require.Equal(t, set(theirs), set(ours), "%s in %s", who, ns)
			asked++
			rules += len(set(theirs))
		}
	}
	for i := range 5 {
		ask(orchestrator.User(fmt.Sprintf("%s-u%d", w.id, i)))
	}
	for _, ns := range w.namespaces {
		for i := range 3 {
			ask(orchestrator.ServiceAccount(ns, fmt.Sprintf("s%d", i)))
		}
	}
	t.Logf("%d lists compared, %d rules", asked, rules)
	require.Greater(t, rules, 200)
}

func set(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
