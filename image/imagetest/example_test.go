package imagetest_test

import (
	"fmt"

	"github.com/boltseal/boltseal/image/imagetest"
)

func ExampleCases() {
	c := imagetest.Cases()[0]
	fmt.Println(c.Name + ": " + c.Doc)
	for _, line := range c.Lines() {
		fmt.Println(line)
	}
	// Output:
	// whiteout/file: a file of the lower layer is deleted
	// f b 2
}
