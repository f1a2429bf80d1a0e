package kubetest_test

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/kubetest"
	"github.com/boltseal/boltseal/orchestrator"
)

// decisions is how many answers are compared: 4,000, or $BOLTSEAL_DECISIONS.
func decisions(t *testing.T) int {
	text := os.Getenv("BOLTSEAL_DECISIONS")
	if text == "" {
		return 4000
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// TestCanIsSubjectAccessReview compares Access.Can with the API server in random
// worlds, twice: with a snapshot of the objects as they are stored, and with one
// of the objects as they were written, where this package itself aggregates and
// assumes the built-in roles.
func TestCanIsSubjectAccessReview(t *testing.T) {
	c := kubetest.Running(t)
	total := decisions(t)
	worlds := 1 + total/2500
	granted := 0
	for seed := range worlds {
		w := newWorld(uint64(seed))
		w.create(t, c.Admin)
		stored, written := w.stored(t, c.Admin), w.written(t)
		granted += compare(t, c, w, total/worlds, stored, written)
		w.remove(t, c.Admin)
	}
	t.Logf("%d decisions in %d worlds, %d granted, each with 2 snapshots", total, worlds, granted)
	require.Greater(t, granted, total/20, "the worlds ask too little")
}

func compare(t *testing.T, c *kubetest.Cluster, w *rbacWorld, n int, stored, written *orchestrator.Access) (granted int) {
	type question struct {
		who    orchestrator.Subject
		groups []string
		q      orchestrator.Request
	}
	questions := make(chan question)
	var wg sync.WaitGroup
	var mu sync.Mutex
	conf := rest.CopyConfig(c.Config)
	conf.ContentType = "application/vnd.kubernetes.protobuf"
	client := kubetest.Client(t, conf)
	for range 6 {
		wg.Go(func() {
			for x := range questions {
				allowed, err := review(client, x.who, x.groups, x.q)
				mu.Lock()
				if err != nil {
					t.Errorf("%s %v: %s: %v", x.who, x.groups, x.q, err)
				}
				want := orchestrator.NotGranted
				if allowed {
					want = orchestrator.Granted
					granted++
				}
				for name, a := range map[string]*orchestrator.Access{"stored": stored, "written": written} {
					d := a.Can(x.who, x.q, x.groups...)
					if d.Answer != want {
						t.Errorf("%s %s %v: %+v: %s (%s), the API server says %s", name, x.who, x.groups, x.q, d.Answer, d.Reason, want)
					}
					if (len(d.Grants) > 0) != allowed {
						t.Errorf("%s %s: %s: %d grants", name, x.who, x.q, len(d.Grants))
					}
				}
				mu.Unlock()
			}
		})
	}
	for range n {
		who, groups, q := w.question()
		questions <- question{who, groups, q}
	}
	close(questions)
	wg.Wait()
	return granted
}

// review asks the API server.
func review(client *kubernetes.Clientset, who orchestrator.Subject, groups []string, q orchestrator.Request) (bool, error) {
	sar := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: who.UserName(), Groups: append(who.Groups(), groups...)}}
	if q.Path != "" {
		sar.Spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Verb: q.Verb, Path: q.Path}
	} else {
		sar.Spec.ResourceAttributes = &authorizationv1.ResourceAttributes{Verb: q.Verb, Group: q.Group, Resource: q.Resource, Subresource: q.Subresource, Namespace: q.Namespace, Name: q.Name}
	}
	got, err := client.AuthorizationV1().SubjectAccessReviews().Create(context.Background(), sar, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return got.Status.Allowed, nil
}

// create stores the world, and waits until the authorizer sees all of it.
func (w *rbacWorld) create(t *testing.T, client *kubernetes.Clientset) {
	ctx := context.Background()
	for _, ns := range w.namespaces {
		_, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	for _, o := range w.clusterRoles {
		_, err := client.RbacV1().ClusterRoles().Create(ctx, o.DeepCopy(), metav1.CreateOptions{})
		require.NoError(t, err)
	}
	for _, o := range w.roles {
		_, err := client.RbacV1().Roles(o.Namespace).Create(ctx, o.DeepCopy(), metav1.CreateOptions{})
		require.NoError(t, err)
	}
	for _, o := range w.clusterBinds {
		_, err := client.RbacV1().ClusterRoleBindings().Create(ctx, o.DeepCopy(), metav1.CreateOptions{})
		require.NoError(t, err)
	}
	for _, o := range w.bindings {
		_, err := client.RbacV1().RoleBindings(o.Namespace).Create(ctx, o.DeepCopy(), metav1.CreateOptions{})
		require.NoError(t, err)
	}
	w.settle(t, client)
}

// settle waits until the controller has aggregated roles as this package does,
// and until the authorizer knows what was written after that: it watches each of
// the four kinds on its own.
func (w *rbacWorld) settle(t *testing.T, client *kubernetes.Clientset) {
	ctx := context.Background()
	want := w.written(t)
	different := ""
	require.Eventually(t, func() bool {
		list, err := client.RbacV1().ClusterRoles().List(ctx, metav1.ListOptions{LabelSelector: "world=" + w.id})
		require.NoError(t, err)
		for _, r := range list.Items {
			if got, rules := ruleSet(r.Rules), ruleSet(want.Role("", r.Name).Rules); !reflect.DeepEqual(got, rules) {
				different = fmt.Sprintf("%s: stored %v, ours %v", r.Name, got, rules)
				return false
			}
		}
		return true
	}, 2*time.Minute, time.Second, "%s", &different)
	ns, name := w.namespaces[0], w.id+"-sentinel"
	rule := []rbacv1.PolicyRule{{Verbs: []string{"sentinel"}, APIGroups: []string{""}, Resources: []string{name}}}
	meta := metav1.ObjectMeta{Name: name, Labels: map[string]string{"world": w.id}}
	subject := func(i int) []rbacv1.Subject {
		return []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: fmt.Sprint(name, i)}}
	}
	_, err := client.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rule}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = client.RbacV1().Roles(ns).Create(ctx, &rbacv1.Role{ObjectMeta: meta, Rules: rule}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: meta, Subjects: subject(0), RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = client.RbacV1().RoleBindings(ns).Create(ctx, &rbacv1.RoleBinding{ObjectMeta: meta, Subjects: subject(1), RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name}}, metav1.CreateOptions{})
	require.NoError(t, err)
	for i := range 2 {
		require.Eventually(t, func() bool {
			ok, err := review(client, orchestrator.User(fmt.Sprint(name, i)), nil, orchestrator.Request{Verb: "sentinel", Resource: name, Namespace: ns})
			require.NoError(t, err)
			return ok
		}, time.Minute, 100*time.Millisecond)
	}
}

func ruleSet(rules []rbacv1.PolicyRule) map[string]bool {
	set := map[string]bool{}
	for _, r := range rules {
		set[r.String()] = true
	}
	return set
}

func (w *rbacWorld) remove(t *testing.T, client *kubernetes.Clientset) {
	ctx, opt := context.Background(), metav1.ListOptions{LabelSelector: "world=" + w.id}
	require.NoError(t, client.RbacV1().ClusterRoleBindings().DeleteCollection(ctx, metav1.DeleteOptions{}, opt))
	require.NoError(t, client.RbacV1().ClusterRoles().DeleteCollection(ctx, metav1.DeleteOptions{}, opt))
	for _, ns := range w.namespaces {
		require.NoError(t, client.RbacV1().RoleBindings(ns).DeleteCollection(ctx, metav1.DeleteOptions{}, opt))
		require.NoError(t, client.RbacV1().Roles(ns).DeleteCollection(ctx, metav1.DeleteOptions{}, opt))
	}
}

// stored reads back every role and binding there is.
func (w *rbacWorld) stored(t *testing.T, client *kubernetes.Clientset) *orchestrator.Access {
	ctx, all := context.Background(), metav1.ListOptions{}
	b := orchestrator.NewBuilder(&orchestrator.LoadOptions{Complete: true})
	b.Live()
	add := func(o runtime.Object) { require.NoError(t, b.Add(o, boltseal.Location{})) }
	crs, err := client.RbacV1().ClusterRoles().List(ctx, all)
	require.NoError(t, err)
	for i := range crs.Items {
		add(&crs.Items[i])
	}
	crbs, err := client.RbacV1().ClusterRoleBindings().List(ctx, all)
	require.NoError(t, err)
	for i := range crbs.Items {
		add(&crbs.Items[i])
	}
	rs, err := client.RbacV1().Roles("").List(ctx, all)
	require.NoError(t, err)
	for i := range rs.Items {
		add(&rs.Items[i])
	}
	rbs, err := client.RbacV1().RoleBindings("").List(ctx, all)
	require.NoError(t, err)
	for i := range rbs.Items {
		add(&rbs.Items[i])
	}
	return orchestrator.NewAccess(b.Snapshot())
}

// written takes the world as it was made.
func (w *rbacWorld) written(t *testing.T) *orchestrator.Access {
	s, err := orchestrator.FromObjects(func(yield func(runtime.Object) bool) {
		for _, o := range w.clusterRoles {
			if !yield(o.DeepCopy()) {
				return
			}
		}
		for _, o := range w.roles {
			if !yield(o.DeepCopy()) {
				return
			}
		}
		for _, o := range w.clusterBinds {
			if !yield(o.DeepCopy()) {
				return
			}
		}
		for _, o := range w.bindings {
			if !yield(o.DeepCopy()) {
				return
			}
		}
	}, &orchestrator.LoadOptions{Complete: true})
	require.NoError(t, err)
	return orchestrator.NewAccess(s)
}
