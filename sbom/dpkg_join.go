package sbom

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// Join gives the packages their distribution, files and licences, and settles
// alternatives in their dependencies by what is installed.
func (d dpkg) Join(ctx context.Context, v boltseal.View, p *boltseal.Pass) error {
	linked(v, p, d, dpkgDir+"status", dpkgDir+"status.d/")
	var debs []*boltseal.Package
	for _, pkg := range v.Packages() {
		if pkg.Type == "deb" && pkg.Name != "" {
			debs = append(debs, pkg)
		}
	}
	if len(debs) == 0 {
		return nil
	}
	byName := make(map[string]*boltseal.Package, 2*len(debs)) // name, and name:arch
	for _, pkg := range debs {
		if byName[pkg.Name] == nil {
			byName[pkg.Name] = pkg
		}
		if pkg.Arch != "" {
			byName[pkg.Name+":"+pkg.Arch] = pkg
		}
	}
	var diverted diversions
	for f := range v.Facts(factDpkgDivert) {
		diverted = readDiversions(f.Data)
	}
	for f := range v.Facts(factDpkgList) {
		name := path.Base(f.Location.Path)
		name = strings.TrimSuffix(strings.TrimSuffix(name, ".list"), ".md5sums")
		if pkg := byName[name]; pkg != nil {
			pkg.Files = splitPaths(f.Data)
			diverted.apply(pkg)
		}
	}
	licenses := make(map[string]string)
	for f := range v.Facts(factDpkgLicense) {
		licenses[f.Location.Path] = string(f.Data)
	}
	isThere := installedNames(debs)
	for i, pkg := range debs {
		if i%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		nameAfter(pkg, v.Distro())
		chooseAlternatives(pkg, isThere)
		if len(licenses) == 0 || pkg.Licenses != nil {
			continue
		}
		file := docDir + pkg.Name + "/copyright" // at times a link to another package's
		if l, ok := licenses[file]; ok {
			pkg.Licenses = strings.Split(l, "\n")
		} else if file, ok := v.Resolve(file); ok && licenses[file] != "" {
			pkg.Licenses = strings.Split(licenses[file], "\n")
		}
	}
	return nil
}

// installedNames returns the names that packages have or provide.
func installedNames(pkgs []*boltseal.Package) map[string]bool {
	names := make(map[string]bool, 2*len(pkgs))
	for _, pkg := range pkgs {
		names[pkg.Name] = true
		for _, n := range pkg.Provides {
			names[n] = true
		}
	}
	return names
}

// chooseAlternatives replaces "a|b" by the first name that is there, or by a.
func chooseAlternatives(pkg *boltseal.Package, isThere map[string]bool) {
	mine := false // until cloned, the list is shared with the layer's record
	for i, dep := range pkg.DependsOn {
		if strings.IndexByte(dep, '|') < 0 {
			continue
		}
		choice, _, _ := strings.Cut(dep, "|")
		for alt := range strings.SplitSeq(dep, "|") {
			if isThere[alt] {
				choice = alt
				break
			}
		}
		if !mine {
			pkg.DependsOn, mine = slices.Clone(pkg.DependsOn), true
		}
		pkg.DependsOn[i] = choice
	}
}
