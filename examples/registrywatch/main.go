// Registrywatch watches container registries: it knows what every image holds,
// and says within a second of a new advisory which images it concerns.
//
//	registrywatch run -registry registry.example.com -db advisories.db -store fleet.db
//	registrywatch run -registry registry.example.com -repos 'team/*' -db advisories.db -store fleet.db -once
//	registrywatch run … -listen 127.0.0.1:8080 -webhook https://hooks.example.com/boltseal
//	registrywatch run … -nats nats://127.0.0.1:4222          with any number of
//	registrywatch worker -registry registry.example.com -nats nats://127.0.0.1:4222
//	registrywatch dead -nats nats://127.0.0.1:4222           what could not be analysed
//	registrywatch status -store fleet.db        what is known, while no monitor runs
//	registrywatch status -url http://127.0.0.1:8080
//	registrywatch events -store fleet.db -since 120
//	registrywatch verify -store fleet.db -db advisories.db
//	registrywatch compact -store fleet.db
//
// Run it with -h for all flags. The exit status is 0 if all went well, an
// interrupted watch included; 1 if verify found that the store is not what it
// should be; 2 for a usage error; and 3 if something failed, or run -once could
// not look at everything.
//
// # Environment
//
// REGISTRYWATCH_WEBHOOK_SECRET signs webhooks: base64 as Standard Webhooks has it
// (whsec_…), several, separated by blanks, while it is being changed.
// REGISTRYWATCH_HINT_SECRET is the value of the Authorization header that
// registries send with their notifications to /hints; without it they are not
// taken. REGISTRYWATCH_NATS is the default of -nats, so that a password need not
// be in the list of processes. REGISTRYWATCH_NATS_KEY seals jobs and results, so
// that only monitors and workers that have it are believed. Credentials of registries come from Docker's and Podman's usual
// configuration.
package main

import (
	"context"

	"github.com/boltseal/boltseal/examples/internal/cli"
)

func main() { cli.Main(tool, run) }

// run is the program: arguments in, exit status out.
func run(ctx context.Context, args []string, c *cli.Console) int {
	verbs := map[string]func(context.Context, []string, *cli.Console) int{
		"run": runWatch, "worker": runWorker, "dead": runDead, "status": runStatus, "events": runEvents, "verify": runVerify, "compact": runCompact,
	}
	if len(args) > 0 {
		if verb := verbs[args[0]]; verb != nil {
			return verb(ctx, args[1:], c)
		}
	}
	return noVerb(c, args)
}
