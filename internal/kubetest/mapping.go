package kubetest

import (
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// mapper finds the resource of a kind; it asks the server again for kinds that
// it does not know yet.
type mapper struct {
	mu  sync.Mutex
	now meta.RESTMapper
}

var mappings mapper

func (m *mapper) of(conf *rest.Config, kind schema.GroupKind, version string) (*meta.RESTMapping, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now != nil {
		if found, err := m.now.RESTMapping(kind, version); err == nil {
			return found, nil
		}
	}
	d, err := discovery.NewDiscoveryClientForConfig(conf)
	if err != nil {
		return nil, err
	}
	groups, err := restmapper.GetAPIGroupResources(d)
	if err != nil {
		return nil, err
	}
	m.now = restmapper.NewDiscoveryRESTMapper(groups)
	return m.now.RESTMapping(kind, version)
}
