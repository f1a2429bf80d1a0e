package gitleaks_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/boltseal/boltseal/secrets"
	"github.com/boltseal/boltseal/secrets/gitleaks"
)

func Example() {
	imported, err := gitleaks.Read(strings.NewReader(`
[[rules]]
id = "acme-key"
description = "Acme key"
regex = '''acme-[0-9a-f]{12}'''
keywords = ["acme-"]
`), nil)
	if err != nil {
		log.Fatal(err)
	}
	rules, err := secrets.Compile(imported.Rules) // with secrets.Families() before them, most of the time
	if err != nil {
		log.Fatal(err)
	}
	scanner := secrets.NewScanner(&secrets.Options{Rules: rules, Salt: []byte("one for each project")})
	result, err := scanner.Bytes(context.Background(), "app.conf", []byte("key = acme-"+"0f3a9c7b51de\n"))
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range result.Matches {
		fmt.Println(m.Rule, m.Secret, m.Locations[0])
	}
	// Output: acme-key (17 bytes) app.conf:1
}
