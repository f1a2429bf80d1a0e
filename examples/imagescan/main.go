// Imagescan tells what is in a container image, layer by layer: which packages,
// brought by what, and which of them have known vulnerabilities, and why.
//
//	imagescan                                   scan a demo image, without any network
//	imagescan debian:12                         an image from a registry
//	imagescan oci-archive:image.tar             a file that buildah, skopeo or BuildKit wrote
//	imagescan docker-archive:image.tar          what docker save wrote
//	imagescan dir:/mnt/root                     a root file system
//	imagescan -layers -o table -o html=report.html -o cyclonedx=sbom.json debian:12
//	imagescan -q -fail-on high -o sarif=scan.sarif docker-archive:image.tar
//	imagescan db build -from osv-export/        build the advisory database
//	imagescan db status                         what it holds and how old it is
//
// Run it with -h for all flags. The exit status is 0 if nothing is at or above
// -fail-on (without that flag: always), 1 if something is, 2 for a usage error, and 3 if
// the scan failed or is incomplete: something could not be read, or the database
// holds nothing for this kind of package. What was found counts more than what
// was missed: an incomplete scan with a finding at or above -fail-on ends with 1.
//
// # Where things are kept
//
// Layer records and the advisory database lie in the user's cache directory,
// $XDG_CACHE_HOME/boltseal or ~/.cache/boltseal on Linux: layers/ and
// advisories.db. The flags -cache and -db name other places; -cache= keeps
// nothing. Without a database, a small snapshot inside the program is used.
//
// # Environment
//
// NO_COLOR, not empty, switches colours off. SOURCE_DATE_EPOCH, in seconds, is the
// time of the scan in all outputs, which are then the same bytes for the same
// image and database. Credentials of registries come from Docker's and Podman's
// usual configuration.
package main

import (
	"context"

	"github.com/boltseal/boltseal/examples/internal/cli"
)

func main() { cli.Main(tool, run) }

// run is the program: arguments in, exit status out.
func run(ctx context.Context, args []string, c *cli.Console) int {
	if len(args) > 0 && args[0] == "db" {
		return runDB(ctx, args[1:], c)
	}
	o, err := parseFlags(args)
	if err != nil {
		return c.Usage(err, usage)
	}
	return runScan(ctx, o, c)
}
