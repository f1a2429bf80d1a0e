package kubetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func encode(o any) []byte {
	data, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return data
}

func ptr[T any](v T) *T { return &v }

// restrictedPod passes the level restricted.
func restrictedPod(account string) corev1.PodSpec {
	return corev1.PodSpec{
		ServiceAccountName: account,
		SecurityContext:    &corev1.PodSecurityContext{RunAsNonRoot: ptr(true), RunAsUser: ptr[int64](1000), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		Containers: []corev1.Container{{
			Name: "c", Image: "registry.example/c:1",
			SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: ptr(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
		}},
	}
}

// runAs runs a pod as the strong account, by itself or by a controller. Without
// a kubelet the proof is that the pod is there with the account's token.
func runAs(kind string) func(context.Context, *attacker) error {
	return func(ctx context.Context, a *attacker) error {
		labels := map[string]string{"attack": a.name}
		meta := metav1.ObjectMeta{Name: a.name + "-pod", Labels: labels}
		template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: restrictedPod("root")}
		selector := &metav1.LabelSelector{MatchLabels: labels}
		var err error
		switch kind {
		case "Pod":
			p := &corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: meta, Spec: template.Spec}
			if _, err = a.cs.CoreV1().Pods("vault").Create(ctx, p, metav1.CreateOptions{}); err != nil {
				if _, apply := a.cs.CoreV1().Pods("vault").Patch(ctx, p.Name, types.ApplyPatchType, encode(p), metav1.PatchOptions{FieldManager: "attacker"}); apply == nil {
					err = nil
				}
			}
		case "Deployment":
			_, err = a.cs.AppsV1().Deployments("vault").Create(ctx, &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Selector: selector, Template: template}}, metav1.CreateOptions{})
		case "StatefulSet":
			_, err = a.cs.AppsV1().StatefulSets("vault").Create(ctx, &appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Selector: selector, Template: template}}, metav1.CreateOptions{})
		case "ReplicaSet":
			_, err = a.cs.AppsV1().ReplicaSets("vault").Create(ctx, &appsv1.ReplicaSet{ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Selector: selector, Template: template}}, metav1.CreateOptions{})
		case "ReplicationController":
			_, err = a.cs.CoreV1().ReplicationControllers("vault").Create(ctx, &corev1.ReplicationController{ObjectMeta: meta, Spec: corev1.ReplicationControllerSpec{Selector: labels, Template: &template}}, metav1.CreateOptions{})
		case "Job":
			template.Spec.RestartPolicy = corev1.RestartPolicyNever
			_, err = a.cs.BatchV1().Jobs("vault").Create(ctx, &batchv1.Job{ObjectMeta: meta, Spec: batchv1.JobSpec{Template: template}}, metav1.CreateOptions{})
		}
		if err != nil {
			return err
		}
		for range 200 {
			pods, err := a.c.Admin.CoreV1().Pods("vault").List(ctx, metav1.ListOptions{LabelSelector: "attack=" + a.name})
			if err != nil {
				return err
			}
			for _, p := range pods.Items {
				for _, v := range p.Spec.Volumes {
					if p.Spec.ServiceAccountName == "root" && v.Projected != nil {
						return nil
					}
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
		return errors.New("no pod of the strong account appears")
	}
}

// privileged is a pod that has its node.
func privileged(namespace string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "privileged", Namespace: namespace}, Spec: corev1.PodSpec{
		HostPID: true, HostNetwork: true, NodeName: "any",
		Volumes: []corev1.Volume{{Name: "root", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}},
		Containers: []corev1.Container{{
			Name: "c", Image: "registry.example/c:1", SecurityContext: &corev1.SecurityContext{Privileged: ptr(true)},
			VolumeMounts: []corev1.VolumeMount{{Name: "root", MountPath: "/host"}},
		}},
	}}
}

func privilegedPod(ctx context.Context, a *attacker) error {
	_, err := a.cs.CoreV1().Pods(a.name).Create(ctx, privileged(a.name), metav1.CreateOptions{})
	return err
}

func relabelled(ctx context.Context, a *attacker) error {
	patch := `{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}`
	if _, err := a.cs.CoreV1().Namespaces().Patch(ctx, a.name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		return err
	}
	return eventually(func() error { return privilegedPod(ctx, a) })
}

func newNamespace(ctx context.Context, a *attacker) error {
	name := a.name + "-new"
	if _, err := a.cs.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	// The controller manager has to make the default service account first.
	return eventually(func() error {
		_, err := a.cs.CoreV1().Pods(name).Create(ctx, privileged(name), metav1.CreateOptions{})
		return err
	})
}

func eventually(try func() error) (err error) {
	for range 50 {
		if err = try(); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// hostVolume mounts the node's root by a volume and a claim.
func hostVolume(ctx context.Context, a *attacker) error {
	size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	modes := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	name := a.name + "-volume"
	_, err := a.cs.CoreV1().PersistentVolumes().Create(ctx, &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PersistentVolumeSpec{
		Capacity: size, AccessModes: modes, StorageClassName: name, PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}},
	}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("volume: %w", err)
	}
	_, err = a.cs.CoreV1().PersistentVolumeClaims(a.name).Create(ctx, &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: modes, StorageClassName: &name, VolumeName: name, Resources: corev1.VolumeResourceRequirements{Requests: size},
	}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	spec := restrictedPod("default")
	spec.SecurityContext = nil
	spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}}}
	if _, err = a.cs.CoreV1().Pods(a.name).Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: spec}, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("pod: %w", err)
	}
	claim := func() error {
		c, err := a.c.Admin.CoreV1().PersistentVolumeClaims(a.name).Get(ctx, name, getOptions)
		if err == nil && c.Status.Phase != corev1.ClaimBound {
			err = errors.New("the claim is not bound to the volume")
		}
		return err
	}
	return eventually(claim)
}
