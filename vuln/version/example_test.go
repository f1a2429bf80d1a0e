package version_test

import (
	"fmt"

	"github.com/boltseal/boltseal/vuln/version"
)

func ExampleScheme_Compare() {
	s, _ := version.SchemeFor("Debian:12")
	c, err := s.Compare("1.0~rc1-1", "1.0-1")
	fmt.Println(s, c, err)
	// Output: deb -1 <nil>
}

func ExampleScheme_AppendKey() {
	low, _ := version.Go.AppendKey(nil, "go1.21rc2")
	high, _ := version.Go.AppendKey(nil, "v1.21.0")
	fmt.Println(string(low) < string(high))
	// Output: true
}
