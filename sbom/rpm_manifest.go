package sbom

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/boltseal/boltseal"
)

// rpmManifest is what Azure Linux and CBL-Mariner leave in images from which
// they removed the database: a line a package, made by rpm -qa with the query
// format NAME, VERSION-RELEASE, INSTALLTIME, BUILDTIME, VENDOR, EPOCH, SIZE,
// ARCH, EPOCHNUM, SOURCERPM, separated by tabs.
const rpmManifest = "var/lib/rpmmanifest/container-manifest-2"

func readRPMManifest(ctx context.Context, data []byte, p *boltseal.Pass) error {
	evidence := []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "rpm container manifest", Confidence: 1}}
	bad := 0
	for n := 0; len(data) > 0; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var line []byte
		line, data, _ = bytes.Cut(data, []byte{'\n'})
		line = bytes.Trim(line, "\r\x00 ")
		if len(line) == 0 || bytes.HasPrefix(line, []byte("gpg-pubkey\t")) {
			continue
		}
		f := strings.SplitN(string(line), "\t", 11)
		for i := range f {
			if f[i] == "(none)" {
				f[i] = ""
			}
		}
		if len(f) < 10 || f[0] == "" || f[1] == "" {
			bad++
			continue
		}
		epoch, _ := strconv.ParseUint(f[8], 10, 32)
		version, release, _ := strings.Cut(f[1], "-")
		if err := room(p); err != nil {
			return err
		}
		p.Package(boltseal.Package{
			Type: "rpm", Name: f[0], Version: rpmVersion(uint32(epoch), version, release), Vendor: f[4], Arch: f[7],
			Source: rpmSource(f[9], version, release), Evidence: evidence,
		})
	}
	if bad > 0 {
		return fmt.Errorf("read rpm's manifest: %w: %d lines without their 10 fields", boltseal.ErrMalformed, bad)
	}
	return nil
}
