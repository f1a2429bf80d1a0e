package version

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pair is two versions to be compared by an oracle.
type pair struct{ a, b string }

// An oracle is the program that defines a scheme's order. It prints one of
// -1, 0, 1 per pair, in order, or "-" for a pair it does not understand.
type oracle struct {
	scheme    Scheme
	ecosystem string // whose real versions are compared too
	start     string // of every generated version
	alphabet  []string
	run       func(t *testing.T, pairs []pair) []string
	most      int               // pairs that it is given, if it is slow
	skip      func(p pair) bool // pairs on which the program contradicts itself, or its own documentation
}

// long reports whether the oracles are to see more pairs, and the versions that
// real advisories name: BOLTSEAL_LONG=1, with the data of $BOLTSEAL_SHARED.
func long() bool { return os.Getenv("BOLTSEAL_LONG") != "" }

func TestOracles(t *testing.T) {
	rounds, dpkgPairs := 700, 50
	if long() {
		rounds, dpkgPairs = 20_000, 2000
	}
	for _, o := range []oracle{
		{scheme: Deb, ecosystem: "Debian", alphabet: strings.Split("0 1 2 9 10 007 a b z A . . - + ~ ~~ : rc", " "), run: dpkg, most: dpkgPairs},
		{scheme: RPM, ecosystem: "AlmaLinux", alphabet: strings.Split("0 1 2 9 10 007 a b Z . _ + ~ ^ - rc 123456789012345678901", " "), run: rpm},
		{scheme: NPM, ecosystem: "npm", start: "1.2.", alphabet: strings.Split("0 1 2 10 . - - a rc x + beta", " "), run: node},
		{scheme: PEP440, ecosystem: "PyPI", alphabet: strings.Split("0 1 2 10 . . a b rc c .dev .post r - + 1! _ local v", " "), run: python},
		{scheme: RubyGems, ecosystem: "RubyGems", alphabet: strings.Split("0 1 2 10 . . a b rc pre - 00", " "), run: ruby},
		{scheme: Maven, ecosystem: "Maven", alphabet: strings.Split("0 1 2 10 . . - - alpha beta sp ga final rc snapshot a b foo Final", " "), run: maven, skip: mavenQuirk},
	} {
		t.Run(o.scheme.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(o.scheme)))
			var versions []string
			for range 1500 {
				v := o.start + strconv.Itoa(r.IntN(3))
				for range r.IntN(7) {
					v += o.alphabet[r.IntN(len(o.alphabet))]
				}
				versions = append(versions, v)
			}
			if long() {
				versions = append(versions, realVersions(t, o.ecosystem)...)
			}
			var pairs []pair
			for range rounds {
				p := pair{versions[r.IntN(len(versions))], versions[r.IntN(len(versions))]}
				pairs = append(pairs, p)
				// Neighbours: the same version but for its end.
				tail := o.alphabet[r.IntN(len(o.alphabet))] + strconv.Itoa(r.IntN(3))
				pairs = append(pairs, pair{p.a, p.a + tail}, pair{p.a + tail, p.a + o.alphabet[r.IntN(len(o.alphabet))]})
			}
			if o.most > 0 {
				r.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
				pairs = pairs[:o.most]
			}
			got := o.run(t, pairs)
			require.Len(t, got, len(pairs))
			compared, bad := 0, 0
			for i, p := range pairs {
				c, err := o.scheme.Compare(p.a, p.b)
				if err != nil || got[i] == "-" || o.skip != nil && o.skip(p) {
					continue
				}
				compared++
				if strconv.Itoa(c) != got[i] {
					if bad++; bad <= 30 {
						t.Errorf("Compare(%q, %q) = %d, the oracle says %s", p.a, p.b, c, got[i])
					}
				}
			}
			t.Logf("compared %d pairs, %d differ", compared, bad)
			require.Greater(t, compared, len(pairs)/10)
		})
	}
}

// realVersions returns up to 3,000 versions named by an ecosystem's advisories.
func realVersions(t *testing.T, ecosystem string) []string {
	root := os.Getenv("BOLTSEAL_SHARED")
	if root == "" {
		root = "../../../shared"
	}
	z, err := zip.OpenReader(filepath.Join(root, "data/osv", ecosystem, "all.zip"))
	if err != nil {
		t.Logf("generated versions only: %v", err)
		return nil
	}
	defer z.Close()
	seen := map[string]bool{}
	for i, f := range z.File {
		if i%7 != 0 {
			continue
		}
		var adv struct {
			Affected []struct {
				Versions []string
				Ranges   []struct {
					Type   string
					Events []map[string]string
				}
			}
		}
		rc, err := f.Open()
		require.NoError(t, err)
		err = json.NewDecoder(rc).Decode(&adv)
		rc.Close()
		if err != nil {
			continue
		}
		for _, a := range adv.Affected {
			for _, v := range a.Versions[:min(4, len(a.Versions))] {
				seen[v] = true
			}
			for _, r := range a.Ranges {
				for _, e := range r.Events {
					for k, v := range e {
						if r.Type != "GIT" && k != "limit" {
							seen[v] = true
						}
					}
				}
			}
		}
		if len(seen) > 3000 {
			break
		}
	}
	var out []string
	for v := range seen {
		if printable(v) {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

// script runs a program with pairs on its standard input, tab-separated.
func script(t *testing.T, pairs []pair, name string, args ...string) []string {
	optional := ""
	if name == "node" || name == "python3" {
		optional = " (one of BOLTSEAL_PEERS)"
	}
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed%s: %v", name, optional, err)
	}
	var in bytes.Buffer
	for _, p := range pairs {
		fmt.Fprintf(&in, "%s\t%s\n", p.a, p.b)
	}
	cmd := exec.Command(name, args...)
	cmd.Stdin = &in
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("%s does not work here%s: %v: %s", name, optional, err, stderr.String())
	}
	return strings.Fields(string(out))
}

// dpkg is started up to twice per pair.
func dpkg(t *testing.T, pairs []pair) []string {
	if _, err := exec.LookPath("dpkg"); err != nil {
		t.Skipf("dpkg is not installed: %v", err)
	}
	return script(t, pairs, "bash", "-c", `while IFS=$'\t' read -r a b; do
		dpkg --compare-versions "$a" lt "$b" 2>/dev/null; r=$?
		if [ $r = 0 ]; then echo -1; elif [ $r != 1 ]; then echo -
		elif dpkg --compare-versions "$a" eq "$b" 2>/dev/null; then echo 0; else echo 1; fi; done`)
}

func rpm(t *testing.T, pairs []pair) []string {
	// rpm.vercmp compares versions without epoch and release.
	in := slices.Clone(pairs)
	for i, p := range in {
		if strings.ContainsAny(p.a+p.b, "-:") {
			in[i] = pair{"0", "0"}
		}
	}
	out := script(t, in, "rpm", "--eval",
		`%{lua: for l in io.lines() do local a, b = l:match("([^\t]*)\t([^\t]*)") print(rpm.vercmp(a, b) .. " ") end}`)
	for i, p := range pairs {
		if i < len(out) && in[i] != p {
			out[i] = "-"
		}
	}
	return out
}

func node(t *testing.T, pairs []pair) []string {
	root, err := exec.Command("npm", "root", "-g").Output()
	if err != nil {
		t.Skipf("npm is not installed (one of BOLTSEAL_PEERS): %v", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(root)), "npm/node_modules/semver")
	return script(t, pairs, "node", "-e", `
		const semver = require(process.argv[1]), lines = require('fs').readFileSync(0, 'utf8').trimEnd().split('\n');
		console.log(lines.map(l => { const [a, b] = l.split('\t'); try { return semver.compare(a, b, true) } catch { return '-' } }).join('\n'))`, dir)
}

func python(t *testing.T, pairs []pair) []string {
	return script(t, pairs, "python3", "-c", `
import sys
from pip._vendor.packaging.version import Version, InvalidVersion
for line in sys.stdin:
    a, b = line.rstrip("\n").split("\t")
    try:
        a, b = Version(a), Version(b)
        print((a > b) - (a < b))
    except InvalidVersion:
        print("-")`)
}

func ruby(t *testing.T, pairs []pair) []string {
	return script(t, pairs, "ruby", "-e", `
STDIN.each_line do |l|
  a, b = l.chomp.split("\t", 2)
  begin
    puts Gem::Version.new(a) <=> Gem::Version.new(b)
  rescue ArgumentError
    puts "-"
  end
end`)
}

// maven runs ComparableVersion's own main, which compares neighbours.
func maven(t *testing.T, pairs []pair) []string {
	jars, _ := filepath.Glob("/usr/share/maven/lib/*.jar")
	if _, err := exec.LookPath("java"); err != nil || len(jars) == 0 {
		t.Skip("java and maven-artifact are not installed")
	}
	args := []string{"-cp", strings.Join(jars, ":"), "org.apache.maven.artifact.versioning.ComparableVersion"}
	var out []string
	for chunk := range slices.Chunk(pairs, 2000) {
		full := slices.Clone(args)
		for _, p := range chunk {
			full = append(full, p.a, p.b)
		}
		raw, err := exec.Command("java", full...).Output()
		if err != nil {
			t.Skipf("maven-artifact does not work here: %v", err)
		}
		i := 0
		for line := range strings.Lines(string(raw)) {
			if !strings.HasPrefix(line, "   ") {
				continue
			}
			if i%2 == 0 {
				out = append(out, map[string]string{"<": "-1", "==": "0", ">": "1"}[strings.Fields(line)[1]])
			}
			i++
		}
	}
	return out
}

// mavenQuirks matches versions that ComparableVersion orders against the
// specification that it documents, or in circles: a qualifier after a dot with
// more behind it, and null tokens between two hyphens (or transitions), which
// it keeps as nested lists.
var mavenQuirks = regexp.MustCompile(`_|[.][a-z]+[^a-z]|[-a-z][0.]+[-a-z]|--|(ga|final|release)[^a-z]`)

func mavenQuirk(p pair) bool {
	return mavenQuirks.MatchString(strings.ToLower(p.a)) || mavenQuirks.MatchString(strings.ToLower(p.b))
}
