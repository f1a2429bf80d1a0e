package image

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
)

// ParsePlatform reads os/architecture[/variant], or an architecture alone, which
// means Linux. Names as uname prints them (x86_64, aarch64, armhf, …) are
// understood.
func ParsePlatform(s string) (v1.Platform, error) {
	parts := strings.Split(s, "/")
	if slices.Contains(parts, "") || len(parts) > 3 {
		return v1.Platform{}, fmt.Errorf("platform %q: %w: want os/architecture[/variant], as in linux/arm64", s, boltseal.ErrMalformed)
	}
	if len(parts) == 1 && slices.Contains([]string{"linux", "windows", "darwin", "freebsd"}, strings.ToLower(s)) {
		return v1.Platform{}, fmt.Errorf("platform %q: %w: an operating system alone; want os/architecture[/variant], as in linux/amd64", s, boltseal.ErrMalformed)
	}
	p := v1.Platform{OS: "linux", Architecture: parts[0]}
	if len(parts) > 1 {
		p.OS, p.Architecture = parts[0], parts[1]
	}
	if len(parts) > 2 {
		p.Variant = parts[2]
	}
	return normalize(p), nil
}

// FormatPlatform writes os/architecture[/variant], with Windows' version in
// parentheses. The result is empty for no platform, which is what a folder has.
func FormatPlatform(p v1.Platform) string {
	if p.OS == "" && p.Architecture == "" {
		return ""
	}
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	if p.OSVersion != "" {
		s += " (" + p.OSVersion + ")"
	}
	return s
}

// normalize maps the spellings in use to those of the OCI image index
// (GOOS, GOARCH), and a variant that is its architecture's default to the one
// form containerd/platforms uses: arm is arm/v7; arm64/v8 is arm64; amd64/v1 is amd64.
func normalize(p v1.Platform) v1.Platform {
	p.OS = strings.ToLower(p.OS)
	if p.OS == "macos" {
		p.OS = "darwin"
	}
	p.Architecture = strings.ToLower(p.Architecture)
	p.Variant = strings.ToLower(p.Variant)
	switch p.Architecture {
	case "x86_64", "x86-64":
		p.Architecture = "amd64"
	case "i386", "i486", "i586", "i686":
		p.Architecture = "386"
	case "aarch64":
		p.Architecture = "arm64"
	case "armhf":
		p.Architecture, p.Variant = "arm", "v7"
	case "armel":
		p.Architecture, p.Variant = "arm", "v6"
	}
	if p.Variant != "" && p.Variant[0] >= '0' && p.Variant[0] <= '9' {
		p.Variant = "v" + p.Variant
	}
	switch p.Architecture + p.Variant {
	case "arm":
		p.Variant = "v7"
	case "arm64v8", "amd64v1":
		p.Variant = ""
	}
	return p
}

// distance tells how far what is had lies below what is wanted: 0 is equal, -1
// is no match. A processor runs code for lower variants of its architecture.
func distance(want, have v1.Platform) int {
	want, have = normalize(want), normalize(have)
	if want.OS != have.OS || want.Architecture != have.Architecture {
		return -1
	}
	if v := want.OSVersion; v != "" && v != have.OSVersion && !strings.HasPrefix(have.OSVersion, v+".") {
		return -1
	}
	if want.Variant == have.Variant {
		return 0
	}
	w, okW := variantNumber(want)
	h, okH := variantNumber(have)
	if !okW || !okH || h > w {
		return -1
	}
	return w - h
}

// variantNumber returns 100 times the number of a variant: 810 for v8.1.
func variantNumber(p v1.Platform) (int, bool) {
	v := p.Variant
	if v == "" {
		switch p.Architecture {
		case "arm64":
			v = "v8"
		case "amd64":
			v = "v1"
		}
	}
	f, err := strconv.ParseFloat(strings.TrimPrefix(v, "v"), 64)
	if err != nil || !strings.HasPrefix(v, "v") || !(f >= 0 && f < 1000) {
		return 0, false
	}
	return int(f*100 + 0.5), true
}

// errPlatform says that none of the platforms is the wanted one.
func errPlatform(want v1.Platform, have []v1.Platform) error {
	if len(have) == 0 {
		return fmt.Errorf("no image for any platform: %w", errors.ErrUnsupported)
	}
	var names []string
	for _, p := range have {
		if n := clip(FormatPlatform(p)); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	const most = 20
	if len(names) > most {
		names = append(names[:most], fmt.Sprintf("%d more", len(names)-most))
	}
	return fmt.Errorf("platform %s: %w: the image is for %s; ask for one of these", FormatPlatform(want), fs.ErrNotExist, strings.Join(names, ", "))
}

// hostPlatform is the default where there is a choice: containers of this
// machine, or of the Linux beside it.
func hostPlatform() v1.Platform {
	return normalize(v1.Platform{OS: "linux", Architecture: runtime.GOARCH})
}
