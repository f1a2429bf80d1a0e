// Package vuln matches packages against security advisories, and says why.
//
// A database is one immutable file, built from advisories in the OSV format
// (the layout of the public bulk export: <Ecosystem>/all.zip), mapped into
// memory and shared by all readers:
//
//	stats, err := vuln.Build(ctx, "advisories.db", []fs.FS{os.DirFS("osv")}, nil)
//
//	db, err := vuln.Open("advisories.db")
//	defer db.Close()
//	for m := range db.Match(inv.Packages) {
//		fmt.Println(m.Package.PURL, m.Advisory.ID, m.Fixed)
//	}
//	checks := db.Coverage(time.Now(), inv.Distro, inv.Packages)
//
// The absence of a match is not a verdict. [DB.Coverage] tells what the
// database could not judge: a distribution release it holds nothing for, or
// whose maintenance has ended, and package types without advisories.
// [DB.Explain] answers the opposite question: why an advisory does not match.
//
// # Matching
//
// The rules are those of the OSV schema 1.7 (section "Evaluation"): a package
// is affected if its version is listed, or lies in any range; withdrawn
// advisories and GIT ranges never match. OS packages are looked up by the name
// their distribution's advisories use, most often the source package's. The
// orderings are in package vuln/version; the database holds every bound as an
// order-preserving key, so that matching is one binary search per package and
// integer comparisons from there on.
//
// # Concurrency and trust
//
// A [DB] is safe for concurrent use; [DB.Close] must come after the last read,
// those of [Match.Why] and [Match.Finding] included.
// A database file is not trusted: every offset is checked when it is followed,
// and a damaged file yields an error, or fewer matches together with an unknown
// verdict from [DB.Coverage]; it never panics or loops.
package vuln
