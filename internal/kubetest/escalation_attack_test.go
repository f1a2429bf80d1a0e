package kubetest_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/boltseal/boltseal/internal/kubetest"
)

// attacker is a user that tries to become more.
type attacker struct {
	c    *kubetest.Cluster
	name string
	conf *rest.Config
	cs   *kubernetes.Clientset
}

func newAttacker(t *testing.T, c *kubetest.Cluster, e *escalationCase) *attacker {
	conf := c.As(e.name)
	conf.QPS, conf.Burst = 100, 200
	return &attacker{c: c, name: e.name, conf: conf, cs: kubetest.Client(t, conf)}
}

// proves reports whether a configuration may do something, by the API server's
// own answer to whoever it is. What was just written may take a moment.
func proves(ctx context.Context, conf *rest.Config, namespace string) error {
	cs, err := kubernetes.NewForConfig(conf)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		got, err := cs.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "*", Group: "*", Resource: "*", Namespace: namespace},
		}}, metav1.CreateOptions{})
		switch {
		case err != nil:
			return err
		case got.Status.Allowed:
			return nil
		case time.Now().After(deadline):
			return errors.New("not allowed everything")
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (a *attacker) as(token string) *rest.Config {
	conf := rest.CopyConfig(a.conf)
	conf.BearerToken = token
	return conf
}

// doAnything needs no step: it asks at once.
func doAnything(ctx context.Context, a *attacker) error {
	_, err := a.cs.CoreV1().Secrets("kube-system").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	return proves(ctx, a.conf, "")
}

func doAnythingHere(ctx context.Context, a *attacker) error {
	_, err := a.cs.CoreV1().Secrets(a.name).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	return proves(ctx, a.conf, a.name)
}

func (a *attacker) me() []rbacv1.Subject {
	return []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: a.name}}
}

// bindCluster makes a binding by POST, by server-side apply and by PUT.
func (a *attacker) bindCluster(ctx context.Context, role string) error {
	b := &rbacv1.ClusterRoleBinding{
		TypeMeta: metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRoleBinding"}, ObjectMeta: metav1.ObjectMeta{Name: a.name + "-new"},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}, Subjects: a.me(),
	}
	client := a.cs.RbacV1().ClusterRoleBindings()
	_, post := client.Create(ctx, b, metav1.CreateOptions{})
	if post == nil {
		return nil
	}
	if _, err := client.Patch(ctx, b.Name, types.ApplyPatchType, encode(b), metav1.PatchOptions{FieldManager: "attacker"}); err == nil {
		return nil
	}
	if _, err := client.Update(ctx, b, metav1.UpdateOptions{}); err == nil {
		return nil
	}
	return post
}

func bindFull(ctx context.Context, a *attacker) error {
	if err := a.bindCluster(ctx, "t-full"); err != nil {
		return err
	}
	return proves(ctx, a.conf, "")
}

func bindFullHere(ctx context.Context, a *attacker) error {
	_, err := a.cs.RbacV1().RoleBindings(a.name).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "new"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "t-full"}, Subjects: a.me(),
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	return proves(ctx, a.conf, a.name)
}

func joinFull(ctx context.Context, a *attacker) error {
	b := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: a.name + "-join"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "t-full"}, Subjects: a.me(),
	}
	if _, err := a.cs.RbacV1().ClusterRoleBindings().Update(ctx, b, metav1.UpdateOptions{}); err != nil {
		if _, err := a.cs.RbacV1().ClusterRoleBindings().Patch(ctx, b.Name, types.MergePatchType, encode(map[string]any{"subjects": b.Subjects}), metav1.PatchOptions{}); err != nil {
			return err
		}
	}
	return proves(ctx, a.conf, "")
}

var everything = []rbacv1.PolicyRule{{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}}}

func escalateOwn(ctx context.Context, a *attacker) error {
	r := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: a.name + "-r"}, Rules: everything}
	if _, err := a.cs.RbacV1().ClusterRoles().Update(ctx, r, metav1.UpdateOptions{}); err != nil {
		if _, err := a.cs.RbacV1().ClusterRoles().Patch(ctx, r.Name, types.MergePatchType, encode(map[string]any{"rules": everything}), metav1.PatchOptions{}); err != nil {
			return err
		}
	}
	return proves(ctx, a.conf, "")
}

func escalateOwnHere(ctx context.Context, a *attacker) error {
	r := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: a.name + "-l"}, Rules: everything}
	if _, err := a.cs.RbacV1().Roles(a.name).Update(ctx, r, metav1.UpdateOptions{}); err != nil {
		return err
	}
	return proves(ctx, a.conf, a.name)
}

func bindFresh(ctx context.Context, a *attacker) error {
	r := &rbacv1.ClusterRole{
		TypeMeta:   metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRole"},
		ObjectMeta: metav1.ObjectMeta{Name: a.name + "-fresh"}, Rules: everything,
	}
	if _, err := a.cs.RbacV1().ClusterRoles().Create(ctx, r, metav1.CreateOptions{}); err != nil {
		if _, err := a.cs.RbacV1().ClusterRoles().Patch(ctx, r.Name, types.ApplyPatchType, encode(r), metav1.PatchOptions{FieldManager: "attacker"}); err != nil {
			return err
		}
	}
	if err := a.bindCluster(ctx, r.Name); err != nil {
		return err
	}
	return proves(ctx, a.conf, "")
}

func impersonating(as rest.ImpersonationConfig) func(context.Context, *attacker) error {
	return func(ctx context.Context, a *attacker) error {
		conf := rest.CopyConfig(a.conf)
		conf.Impersonate = as
		return proves(ctx, conf, "")
	}
}

func impersonateUser(name string) func(context.Context, *attacker) error {
	return impersonating(rest.ImpersonationConfig{UserName: name})
}

func impersonateGroup(name string) func(context.Context, *attacker) error {
	return impersonating(rest.ImpersonationConfig{UserName: "nobody", Groups: []string{name}})
}

func impersonateAccount(name string) func(context.Context, *attacker) error {
	return impersonating(rest.ImpersonationConfig{UserName: "system:serviceaccount:vault:" + name})
}

// impersonateMasters names a user where it may, and else only the group.
func impersonateMasters(ctx context.Context, a *attacker) error {
	return impersonateGroup("system:masters")(ctx, a)
}

func impersonateGroupAsAccount(ctx context.Context, a *attacker) error {
	return impersonating(rest.ImpersonationConfig{UserName: "system:serviceaccount:" + a.name + ":nobody", Groups: []string{"system:masters"}})(ctx, a)
}

func mintToken(account string) func(context.Context, *attacker) error {
	return func(ctx context.Context, a *attacker) error {
		got, err := a.cs.CoreV1().ServiceAccounts("vault").CreateToken(ctx, account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		return proves(ctx, a.as(got.Status.Token), "")
	}
}

func makeGone(ctx context.Context, a *attacker) error {
	_, err := a.cs.CoreV1().ServiceAccounts("vault").Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "gone"}}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return mintToken("gone")(ctx, a)
}

// controllerToken becomes the controller that may escalate, and has it rewrite
// a role that everybody has.
func controllerToken(ctx context.Context, a *attacker) error {
	got, err := a.cs.CoreV1().ServiceAccounts("kube-system").CreateToken(ctx, "clusterrole-aggregation-controller", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	controller, err := kubernetes.NewForConfig(a.as(got.Status.Token))
	if err != nil {
		return err
	}
	r := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: a.name + "-r"}, Rules: everything}
	if _, err := controller.RbacV1().ClusterRoles().Update(ctx, r, metav1.UpdateOptions{}); err != nil {
		return err
	}
	return proves(ctx, a.conf, "")
}

func (a *attacker) secretName() string { return a.name + "-token" }

// findToken reads a secret by get, by list and by watch, with and without its
// name, and uses the token in it.
func (a *attacker) findToken(ctx context.Context, name string) error {
	client := a.cs.CoreV1().Secrets("vault")
	byName := metav1.ListOptions{FieldSelector: "metadata.name=" + name}
	use := func(s *corev1.Secret) error {
		if len(s.Data["token"]) == 0 {
			return errors.New("no token in the secret")
		}
		// The API server's authenticator may see the secret a moment after its
		// readers do.
		var err error
		for range 50 {
			if err = proves(ctx, a.as(string(s.Data["token"])), ""); !apierrors.IsUnauthorized(err) {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		return err
	}
	var last error
	for range 50 {
		s, err := client.Get(ctx, name, getOptions)
		if err == nil && len(s.Data["token"]) > 0 {
			return use(s)
		}
		waits := err == nil || apierrors.IsNotFound(err)
		last = err
		for _, opts := range []metav1.ListOptions{byName, {}} {
			list, err := client.List(ctx, opts)
			if err == nil {
				waits = true
				for i := range list.Items {
					if list.Items[i].Name == name && len(list.Items[i].Data["token"]) > 0 {
						return use(&list.Items[i])
					}
				}
				continue
			}
			w, err := client.Watch(ctx, opts)
			if err != nil {
				continue
			}
			defer w.Stop()
			for ev := range w.ResultChan() {
				if s, ok := ev.Object.(*corev1.Secret); ok && s.Name == name && len(s.Data["token"]) > 0 {
					return use(s)
				}
			}
		}
		if !waits {
			return fmt.Errorf("cannot read the secret: %w", last)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("no token appears in the secret")
}

func readStored(ctx context.Context, a *attacker) error { return a.findToken(ctx, a.secretName()) }

func listSecrets(ctx context.Context, a *attacker) error {
	_, err := a.cs.CoreV1().Secrets("vault").List(ctx, metav1.ListOptions{})
	return err
}

func writtenToken(ctx context.Context, a *attacker) error {
	s := &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: a.name + "-made", Annotations: map[string]string{corev1.ServiceAccountNameKey: "root"}}, Type: corev1.SecretTypeServiceAccountToken,
	}
	client := a.cs.CoreV1().Secrets("vault")
	if _, err := client.Create(ctx, s, metav1.CreateOptions{}); err != nil {
		if _, err := client.Patch(ctx, s.Name, types.ApplyPatchType, encode(s), metav1.PatchOptions{FieldManager: "attacker"}); err != nil {
			return err
		}
	}
	return a.findToken(ctx, s.Name)
}

func bootstrapToken(ctx context.Context, a *attacker) error {
	id := a.name[len(a.name)-3:] + "abc"
	_, err := a.cs.CoreV1().Secrets("kube-system").Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "bootstrap-token-" + id}, Type: "bootstrap.kubernetes.io/token",
		StringData: map[string]string{"token-id": id, "token-secret": "0123456789abcdef", "usage-bootstrap-authentication": "true"},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	conf := a.as(id + ".0123456789abcdef")
	cs, err := kubernetes.NewForConfig(conf)
	if err != nil {
		return err
	}
	for range 50 {
		var who *authenticationv1.SelfSubjectReview
		if who, err = cs.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{}); err == nil {
			if who.Status.UserInfo.Username == "system:bootstrap:"+id {
				return nil
			}
			return fmt.Errorf("the token is %s's", who.Status.UserInfo.Username)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// request asks for a certificate and returns the configuration that uses it.
func (a *attacker) request(ctx context.Context, signer, user, group string, approve bool) (*rest.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	subject := pkix.Name{CommonName: user}
	if group != "" {
		subject.Organization = []string{group}
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: subject}, key)
	if err != nil {
		return nil, err
	}
	client := a.cs.CertificatesV1().CertificateSigningRequests()
	csr, err := client.Create(ctx, &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{Name: a.name},
		Spec: certificatesv1.CertificateSigningRequestSpec{
			SignerName: signer, Request: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}),
			Usages: []certificatesv1.KeyUsage{certificatesv1.UsageDigitalSignature, certificatesv1.UsageClientAuth},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	csr.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{{Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue, Reason: "attack"}}
	if approve {
		if csr, err = client.UpdateApproval(ctx, a.name, csr, metav1.UpdateOptions{}); err != nil {
			return nil, err
		}
	}
	for i := range 100 {
		got, err := client.Get(ctx, a.name, getOptions)
		if err != nil && approve && i > 10 {
			// Whoever may approve may read what it approves: the answer to an update
			// that changes nothing holds the certificate.
			fresh := csr.DeepCopy()
			fresh.ResourceVersion = ""
			got, err = client.UpdateApproval(ctx, a.name, fresh, metav1.UpdateOptions{})
		}
		if err != nil && (!approve || i > 30) {
			return nil, fmt.Errorf("cannot read the certificate: %w", err)
		}
		if err == nil && len(got.Status.Certificate) > 0 {
			ec, err := x509.MarshalECPrivateKey(key)
			if err != nil {
				return nil, err
			}
			conf := rest.AnonymousClientConfig(a.conf)
			conf.CertData, conf.KeyData = got.Status.Certificate, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: ec})
			return conf, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil, errors.New("no certificate appears")
}

func certificate(user, group string) func(context.Context, *attacker) error {
	return func(ctx context.Context, a *attacker) error {
		conf, err := a.request(ctx, certificatesv1.KubeAPIServerClientSignerName, user, group, true)
		if err != nil {
			return err
		}
		return proves(ctx, conf, "")
	}
}

func nodeCertificate(ctx context.Context, a *attacker) error {
	conf, err := a.request(ctx, certificatesv1.KubeAPIServerClientKubeletSignerName, "system:node:"+a.name, "system:nodes", false)
	if err != nil {
		return err
	}
	cs, err := kubernetes.NewForConfig(conf)
	if err != nil {
		return err
	}
	who, err := cs.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err == nil && who.Status.UserInfo.Username != "system:node:"+a.name {
		err = fmt.Errorf("the certificate is %s's", who.Status.UserInfo.Username)
	}
	return err
}
