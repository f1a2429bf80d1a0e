package boltseal_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestLimitsWithDefaults(t *testing.T) {
	var none *boltseal.Limits
	got := none.WithDefaults()
	require.EqualValues(t, 64<<20, got.FileBytes)
	require.Equal(t, 30*time.Second, got.FileTime)
	for i := range reflect.TypeFor[boltseal.Limits]().NumField() {
		require.Positive(t, reflect.ValueOf(got).Field(i).Int(), "no field without a default")
	}

	mine := boltseal.Limits{Layers: 3, FileBytes: boltseal.Unlimited, LayerEntries: boltseal.Unlimited, FileTime: boltseal.Unlimited}
	got = mine.WithDefaults()
	require.Equal(t, 3, got.Layers)
	require.EqualValues(t, math.MaxInt64, got.FileBytes)
	require.Equal(t, math.MaxInt, got.LayerEntries)
	require.Equal(t, time.Duration(math.MaxInt64), got.FileTime)
	require.EqualValues(t, boltseal.Unlimited, mine.FileBytes, "the caller's stay as they are")
}
