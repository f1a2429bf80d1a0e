package orchestrator

import (
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal"
)

// admittedObjects are the objects of a request as checks see them.
type admittedObjects struct{ now, before []subject }

// admitted decodes the objects of a request.
func admitted(minor int, req *admissionv1.AdmissionRequest) (admittedObjects, error) {
	var out admittedObjects
	var err error
	if len(req.Object.Raw) == 0 {
		return out, fmt.Errorf("the request holds no object")
	}
	if out.now, err = decodeAdmitted(minor, req, req.Object.Raw); err != nil {
		return out, err
	}
	if len(req.OldObject.Raw) > 0 && string(req.OldObject.Raw) != "null" {
		out.before, err = decodeAdmitted(minor, req, req.OldObject.Raw)
	}
	return out, err
}

func decodeAdmitted(minor int, req *admissionv1.AdmissionRequest, raw []byte) ([]subject, error) {
	b := NewBuilder(&LoadOptions{Minor: minor, Namespace: req.Namespace})
	b.Live()
	gvk := schema.GroupVersionKind{Group: req.Kind.Group, Version: req.Kind.Version, Kind: req.Kind.Kind}
	if gvk.Kind == "" {
		return nil, fmt.Errorf("the request names no kind")
	}
	if err := b.addObject(raw, gvk, boltseal.Location{}); err != nil {
		return nil, fmt.Errorf("the object does not decode as %s", gvk.Kind) // the cause may quote values
	}
	s := b.Snapshot()
	var workloads []*Workload
	for w := range s.Workloads() {
		workloads = append(workloads, &w)
	}
	var list []subject
	for r, subjects := range snapshotSubjects(s, workloads) {
		for i := range subjects {
			subjects[i].resource = &r
			list = append(list, subjects[i])
		}
	}
	return list, nil
}
