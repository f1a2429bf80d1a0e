package kubetest_test

import (
	"os"
	"testing"

	"github.com/boltseal/boltseal/internal/kubetest"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }
