package secretstest_test

import (
	"fmt"

	"github.com/boltseal/boltseal/secrets/secretstest"
)

func ExampleNew() {
	s, err := secretstest.New("github-pat", 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Token[:4], len(s.Token))
	for _, p := range s.Placed()[:3] {
		fmt.Println(p.Syntax, p.Path)
	}
	for _, m := range s.NearMisses()[:2] {
		fmt.Println(m.Why)
	}
	// Output:
	// ghp_ 40
	// env app/.env
	// shell app/run.sh
	// json app/config.json
	// wrong sum
	// wrong last character
}
