package sbom

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/boltseal/boltseal"
)

const (
	rpmFileGhost = 1 << 6 // RPMFILE_GHOST: recorded, not installed
	modeType     = 0o170000
	modeDir      = 0o040000
)

// readRPMPackage turns a header into a package.
func readRPMPackage(blob []byte) (boltseal.Package, error) {
	h, err := parseRPMHeader(blob)
	if err != nil {
		return boltseal.Package{}, err
	}
	pkg := boltseal.Package{
		Type:   "rpm",
		Name:   h.text(tagName),
		Arch:   h.text(tagArch),
		Vendor: h.text(tagVendor),
		Module: h.text(tagModularityLabel),
	}
	version, release := h.text(tagVersion), h.text(tagRelease)
	if pkg.Name == "" || version == "" {
		return pkg, malformed("rpm header without name or version")
	}
	epoch := uint32(0) // an absent epoch counts as 0
	if e := h.int32s(tagEpoch); len(e) >= 4 {
		epoch = binary.BigEndian.Uint32(e)
	}
	pkg.Version = rpmVersion(epoch, version, release)
	pkg.Source = rpmSource(h.text(tagSourceRPM), version, release)
	if l := h.text(tagLicense); l != "" {
		pkg.Licenses = []string{l}
	}
	pkg.DependsOn = rpmNames(h.texts(tagRequireName))
	pkg.Provides = rpmNames(h.texts(tagProvideName))
	pkg.Files = rpmPaths(h, pathGrowth*len(blob))
	return pkg, nil
}

func rpmVersion(epoch uint32, version, release string) string {
	if release != "" {
		version += "-" + release
	}
	if epoch != 0 {
		version = strconv.FormatUint(uint64(epoch), 10) + ":" + version
	}
	return version
}

// rpmSource takes name-version-release.src.rpm apart. It says nothing of the
// source's epoch.
func rpmSource(file, version, release string) boltseal.Source {
	nvr, ok := strings.CutSuffix(file, ".src.rpm")
	if !ok {
		if nvr, ok = strings.CutSuffix(file, ".nosrc.rpm"); !ok {
			return boltseal.Source{}
		}
	}
	r := strings.LastIndexByte(nvr, '-')
	if r <= 0 {
		return boltseal.Source{}
	}
	v := strings.LastIndexByte(nvr[:r], '-')
	if v <= 0 {
		return boltseal.Source{}
	}
	src := boltseal.Source{Name: nvr[:v], Version: nvr[v+1:]}
	if src.Version == version+"-"+release {
		src.Version = ""
	}
	return src
}

// rpmNames drops repetitions, which follow each other, and what no package
// provides: features of rpm itself, and a package's demand for its own
// configuration.
func rpmNames(names []string) []string {
	out := names[:0:len(names)]
	for _, n := range names {
		if n == "" || strings.HasPrefix(n, "rpmlib(") || strings.HasPrefix(n, "config(") || len(out) > 0 && out[len(out)-1] == n {
			continue
		}
		out = append(out, n)
	}
	if out == nil {
		out = []string{}
	}
	return out
}

// rpmPaths joins directories and base names. Ghosts and directories are left
// out. budget bounds the length of the result; there is no list beyond it.
func rpmPaths(h rpmHeader, budget int) []string {
	flags, modes := h.int32s(tagFileFlags), h.int16s(tagFileModes)
	skip := func(i int) bool {
		return len(flags) >= 4*i+4 && binary.BigEndian.Uint32(flags[4*i:])&rpmFileGhost != 0 ||
			len(modes) >= 2*i+2 && binary.BigEndian.Uint16(modes[2*i:])&modeType == modeDir
	}
	bases := h.texts(tagBaseNames)
	if bases == nil { // before rpm 4
		bases = h.texts(tagOldFileNames)
		files := bases[:0]
		for i, name := range bases {
			if !skip(i) && name != "" {
				files = append(files, strings.TrimLeft(name, "/"))
			}
		}
		return files
	}
	dirs, indexes := h.texts(tagDirNames), h.int32s(tagDirIndexes)
	dirOf := func(i int) (string, bool) {
		if len(indexes) < 4*i+4 {
			return "", false
		}
		d := binary.BigEndian.Uint32(indexes[4*i:])
		if int64(d) >= int64(len(dirs)) {
			return "", false
		}
		return strings.TrimLeft(dirs[d], "/"), true
	}
	size, count := 0, 0
	for i, base := range bases {
		if dir, ok := dirOf(i); ok && !skip(i) {
			size += len(dir) + len(base)
			count++
		}
		if size > budget {
			return nil
		}
	}
	var all strings.Builder
	all.Grow(size)
	files := make([]string, 0, count)
	for i, base := range bases {
		if dir, ok := dirOf(i); ok && !skip(i) {
			start := all.Len()
			all.WriteString(dir)
			all.WriteString(base)
			files = append(files, all.String()[start:])
		}
	}
	return files
}
