package orchestrator

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	psa "k8s.io/pod-security-admission/api"
)

func judgeEnforceLabel(p *Pass, ns *corev1.Namespace) {
	value, ok := ns.Labels[psa.EnforceLevelLabel]
	at := "metadata.labels[" + psa.EnforceLevelLabel + "]"
	switch level := psa.Level(value); {
	case ns.Name == "kube-system":
		p.NotApplicable("kube-system holds the node's own components, which need privileges")
	case !ok:
		p.Fail(Evidence{Path: at, Value: "the server's default", Default: true})
	case !level.Valid():
		p.Fail(Evidence{Path: at, Value: value, Detail: "not a level; the API server refuses it"})
	case level == psa.LevelPrivileged:
		p.Fail(Evidence{Path: at, Value: value})
	}
}

func judgeEnforceVersion(p *Pass, ns *corev1.Namespace) {
	value, ok := ns.Labels[psa.EnforceVersionLabel]
	if !ok {
		p.NotApplicable("no version is named, so it is the latest")
		return
	}
	at := "metadata.labels[" + psa.EnforceVersionLabel + "]"
	v, err := psa.ParseVersion(value)
	switch {
	case err != nil:
		p.Fail(Evidence{Path: at, Value: value, Detail: err.Error()})
	case v.Latest():
	case v.Minor() > p.Snapshot.Minor:
		p.Fail(Evidence{Path: at, Value: value, Detail: "newer than the cluster, v1." + strconv.Itoa(p.Snapshot.Minor)})
	case podSecurityNews(v.Minor(), p.Snapshot.Minor) != "":
		p.Fail(Evidence{Path: at, Value: value, Detail: "lacks what later versions brought: " + podSecurityNews(v.Minor(), p.Snapshot.Minor)})
	}
}

func judgeEnforceGap(p *Pass, ns *corev1.Namespace) {
	warn, ok := ns.Labels[psa.WarnLevelLabel]
	warnLevel, err := psa.ParseLevel(warn)
	if !ok || err != nil {
		p.NotApplicable("no level is warned of")
		return
	}
	enforce := psa.LevelPrivileged
	if v, err := psa.ParseLevel(ns.Labels[psa.EnforceLevelLabel]); err == nil {
		enforce = v
	}
	if psa.CompareLevels(enforce, warnLevel) < 0 {
		p.Fail(Evidence{Path: "metadata.labels[" + psa.EnforceLevelLabel + "]", Value: string(enforce), Default: ns.Labels[psa.EnforceLevelLabel] == "", Detail: "warns of " + warn})
	}
}
