package version

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// ladders are versions from lowest to highest, worked out by hand from each
// scheme's specification; those on one line are equal.
var ladders = map[Scheme][]string{
	Deb:       {"1.0~~", "1.0~rc1-1", "1.0 1.0-0", "1.0-1 0:1.0-1", "1.0a", "1.0+b1", "1.0.1", "1.9", "1.10", "1:0.1", "99999999999999999999:0"},
	RPM:       {"1.0~rc1-1", "1.0", "1.0-~1", "1.0-1 0:1.0-1 1_0-1 1.0.-1", "1.0^git1-1", "1.0a-1", "1.0.1-1", "1.0.10-1 1.0.010-1", "1:0.1-1"},
	APK:       {"1.0_alpha", "1.0_alpha1", "1.0_beta", "1.0_pre", "1.0_rc1", "1.0", "1.0-r0", "1.0-r1", "1.0~ab12", "1.0_cvs", "1.0_p1", "1.0_p1-r1", "1.0a", "1.0.0", "1.0.05", "1.0.1", "1.0.10", "1.1"},
	Alpm:      {"1.0rc", "1.0", "1.0-1", "1.0.a", "1.0.0", "1.0.1", "1:0.1"},
	SemVer:    {"1.0.0-0", "1.0.0-1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-rc.1", "1.0.0 v1 1.0 1.0.0+x", "1.0.1", "1.10.0"},
	Go:        {"v1.0.0-20200101000000-abcdef012345", "1.19.0-0", "1.21.0-0", "go1.21rc2 1.21.0-rc.2 1.21rc2", "go1.21 v1.21.0 1.21.0+incompatible go1.21.0-acme", "go1.21.1 go1.21.1 X:boringcrypto"},
	NPM:       {"1.2.3beta", "1.2.3-rc.1", "1.2.3 =v1.2.3", "1.2.4"},
	PEP440:    {"1.0-dev-r1", "1.0.dev1", "1.0a1.dev1", "1.0a1 1.0-alpha-1", "1.0b1", "1.0rc1 1.0c1 1.0pre1", "1.0 v1 1.0.0", "1.0+a", "1.0+1", "1.0+1.a", "1.0.post1 1.0-1 1.0r1", "1.1.dev1", "1!0.1"},
	Maven:     {"1-alpha 1.alpha 1.0-alpha", "1-alpha-1 1a1 1-alpha1", "1-beta", "1-milestone", "1-rc 1-cr", "1-SNAPSHOT", "1 1.0 1.ga 1-final 1.0.0-RELEASE", "1-sp", "1-sp-1", "1-foo 1.FOO", "1-1 1-ga-1 1.0-1", "1-2", "1.0.1", "1.1"},
	RubyGems:  {"1.a", "1.a.1", "1.b1", "1-1 1.pre.1", "1.rc.1", "1 1.0 1.0.0", "1.0.1", "1.10"},
	NuGet:     {"1.0.0-ALPHA 1.0-alpha", "1.0.0-beta", "1.0 1.0.0.0", "1.0.0.1", "1.0.1"},
	Packagist: {"1.0-dev", "1.0-alpha1-dev", "1.0a1 v1.0.0-alpha.1", "1.0-beta", "1.0-beta2", "1.0-RC1", "1.0 1.0.0.0 1.0-stable", "1.0-p1 1.0-pl1 1.0-patch1", "1.0.1"},
	Bitnami:   {"1.2.3-rc.1", "1.2.3 1.2.3-4 1.2.3-0", "1.2.4-0"},
	CRAN:      {"1.0", "1.0.0 1.0-0", "1.0.1", "1.10"},
	Hackage:   {"1.0", "1.0.0", "1.0.1", "1.10"},
	Pub:       {"1.0.0-a", "1.0.0", "1.0.0+1", "1.0.0+1.1", "1.0.0+2", "1.0.0+a", "1.0.1"},
}

// rung splits the versions of one line. No version has a space but go's.
func rung(line string) []string {
	return strings.Split(strings.ReplaceAll(strings.ReplaceAll(line, " X:", "\x00X:"), " ", "\n"), "\n")
}

func TestLadders(t *testing.T) {
	for s := Unordered + 1; s < schemeCount; s++ {
		require.NotEmpty(t, ladders[s], "%s has no ladder", s)
		for i, lower := range ladders[s] {
			for j, higher := range ladders[s] {
				for _, a := range rung(lower) {
					for _, b := range rung(higher) {
						a, b := strings.ReplaceAll(a, "\x00", " "), strings.ReplaceAll(b, "\x00", " ")
						c, err := s.Compare(a, b)
						require.NoError(t, err)
						want := 0
						if i != j {
							want = 1
						}
						if i < j {
							want = -1
						}
						require.Equal(t, want, c, "%s: %q to %q", s, a, b)
					}
				}
			}
		}
	}
}

func TestMalformed(t *testing.T) {
	for s, list := range map[Scheme][]string{
		Deb: {"", "a:1", ":1", "1:", "1 2", "1.0é"}, RPM: {"", "1 0"}, APK: {"", "a", "1..2", "1_foo", "1-r", "1-1", "1.0~", "1.0A"},
		Alpm: {"", "1."}, SemVer: {"", "v", "1..2", "1.0.0-", "1.0.0-a..b", "1.1.1k", "latest"}, Go: {"(devel)", "go1.21rc", "devel"},
		NPM: {"1.2.3.4", "*"}, PEP440: {"", "a b"}, Maven: {"", "1 2"}, RubyGems: {"a", "1..2", "1_2"}, NuGet: {"1.2.3.4.5"},
		Packagist: {"dev-main", "1.x-dev", "1.0-foo"}, Bitnami: {"", "-1"}, CRAN: {"1.", "a"}, Hackage: {"1-0"}, Pub: {"1.0.0+"},
	} {
		for _, v := range append(list, strings.Repeat("1", MaxLen+1)) {
			dst := []byte("kept")
			out, err := s.AppendKey(dst, v)
			require.ErrorIs(t, err, boltseal.ErrMalformed, "%s %q", s, v)
			require.Equal(t, "kept", string(out))
			require.False(t, s.Valid(v))
		}
	}
	_, err := Unordered.Compare("a", "b")
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = Scheme(200).Compare("a", "b")
	require.ErrorIs(t, err, errors.ErrUnsupported)
}

func TestSchemeFor(t *testing.T) {
	for eco, want := range map[string]Scheme{
		"Debian:12": Deb, "Ubuntu:Pro:18.04:LTS": Deb, "Alpine:v3.20": APK, "Wolfi": APK, "Red Hat:enterprise_linux:9::baseos": RPM,
		"npm": NPM, "Go": Go, "crates.io": SemVer, "PyPI": PEP440, "Root:Alpine:3.18": APK, "Echo": Deb, "Echo:PyPI": PEP440,
		"TuxCare:npm": NPM, "Docker Hardened Images": SemVer, "Linux": Unordered, "Photon OS:5.0": RPM,
	} {
		s, ok := SchemeFor(eco)
		require.True(t, ok, eco)
		require.Equal(t, want, s, eco)
	}
	for _, eco := range []string{"", "debian", "TempleOS", "Root:", "TuxCare:Root:npm"} {
		_, ok := SchemeFor(eco)
		require.False(t, ok, eco)
	}
}

func TestHasEpoch(t *testing.T) {
	require.True(t, HasEpoch("4:1-1"))
	require.True(t, HasEpoch("0:1-1"))
	require.False(t, HasEpoch("1-1"))
	require.False(t, HasEpoch("a:1-1"))
}

// The order must not depend on numbers fitting into machine words, on a key's
// neighbours in a buffer, or on what follows it: no key may be a prefix of
// another one that the scheme holds to be lower.
func TestNumbersHaveNoBound(t *testing.T) {
	small, big := strings.Repeat("9", 300), "1"+strings.Repeat("0", 300)
	for s := Unordered + 1; s < schemeCount; s++ {
		c, err := s.Compare("1."+small+".1", "1."+big+".0")
		require.NoError(t, err)
		require.Equal(t, -1, c, s)
	}
}

func TestTransitiveOnGenerated(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	parts := strings.Split("0 1 2 10 00 . . - ~ ^ _ + a rc alpha sp ga dev .post p -r :", " ")
	for s := Unordered + 1; s < schemeCount; s++ {
		type keyed struct {
			v   string
			key []byte
		}
		var all []keyed
		for range 4000 {
			v := []string{"0", "1", "2"}[r.IntN(3)]
			for range r.IntN(6) {
				v += parts[r.IntN(len(parts))]
			}
			if k, err := s.AppendKey(nil, v); err == nil {
				require.LessOrEqual(t, len(k), 9*len(v)+16, "%s %q", s, v)
				require.NotEmpty(t, k)
				all = append(all, keyed{v, k})
			}
		}
		require.Greater(t, len(all), 300, s)
		slices.SortFunc(all, func(a, b keyed) int { return bytes.Compare(a.key, b.key) })
		for range 2000 {
			i, j := r.IntN(len(all)), r.IntN(len(all))
			c, err := s.Compare(all[i].v, all[j].v)
			require.NoError(t, err)
			require.Equal(t, bytes.Compare(all[i].key, all[j].key), c)
			d, err := s.Compare(all[j].v, all[i].v)
			require.NoError(t, err)
			require.Equal(t, -c, d)
		}
	}
}

func FuzzCompare(f *testing.F) {
	for s, l := range ladders {
		for i := 1; i < len(l); i++ {
			f.Add(uint8(s), l[i-1], l[i])
		}
	}
	f.Fuzz(func(t *testing.T, scheme uint8, a, b string) {
		s := Scheme(scheme)
		c, err := s.Compare(a, b)
		if err != nil {
			require.True(t, errors.Is(err, boltseal.ErrMalformed) || errors.Is(err, errors.ErrUnsupported))
			return
		}
		d, err := s.Compare(b, a)
		require.NoError(t, err)
		require.Equal(t, -c, d)
		for _, v := range []string{a, b} {
			k, err := s.AppendKey([]byte{1, 2}, v)
			require.NoError(t, err)
			require.Greater(t, len(k), 2)
			require.LessOrEqual(t, len(k), 9*len(v)+18)
		}
	})
}

func TestNoAllocation(t *testing.T) {
	for s, l := range ladders {
		buf := make([]byte, 0, 256)
		a, b := rung(l[1])[0], rung(l[2])[0]
		if s == PEP440 {
			a, b = "1.0a1.dev2", "1.0.post3"
		}
		require.Zero(t, testing.AllocsPerRun(50, func() {
			s.Compare(a, b)
			s.AppendKey(buf[:0], a)
		}), s)
	}
}

func BenchmarkCompare(b *testing.B) {
	for s := Unordered + 1; s < schemeCount; s++ {
		b.Run(s.String(), func(b *testing.B) {
			l := ladders[s]
			x, y := rung(l[len(l)-3])[0], rung(l[len(l)-2])[0]
			b.ReportAllocs()
			for b.Loop() {
				s.Compare(x, y)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "compares/s")
		})
	}
}

func BenchmarkAppendKey(b *testing.B) {
	buf := make([]byte, 0, 256)
	for s := Unordered + 1; s < schemeCount; s++ {
		b.Run(s.String(), func(b *testing.B) {
			l := ladders[s]
			x := rung(l[len(l)-2])[0]
			b.ReportAllocs()
			for b.Loop() {
				s.AppendKey(buf[:0], x)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "keys/s")
		})
	}
}
