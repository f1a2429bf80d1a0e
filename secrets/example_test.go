package secrets_test

import (
	"context"
	"fmt"
	"log"

	"github.com/boltseal/boltseal/secrets"
	"github.com/boltseal/boltseal/secrets/secretstest"
)

func Example() {
	sample, err := secretstest.New("github-pat", 1) // looks real and opens nothing
	if err != nil {
		log.Fatal(err)
	}
	file := sample.Placed()[0]

	scanner := secrets.NewScanner(&secrets.Options{Salt: []byte("one for each project")})
	result, err := scanner.Bytes(context.Background(), file.Path, []byte(file.Text))
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range result.Matches {
		fmt.Println(m.Rule, m.Severity, m.Secret, m.Verified, m.Locations[0])
	}
	// Output: github-pat critical ghp_..(40 bytes) pass app/.env:2
}
