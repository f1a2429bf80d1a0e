package version

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/semver"

	"github.com/boltseal/boltseal"
)

// vectors are comparisons on which the tools that define the schemes are tested
// themselves: apk-tools, vercmp(8), NuGet.Versioning, pub_semver. For Packagist
// they are what composer/semver normalizes to the same or to ordered versions.
var vectors = map[Scheme]string{
	APK: `2.34 > 0.1.0_alpha, 0.1.0_alpha = 0.1.0_alpha, 0.1.0_alpha < 0.1.3_alpha, 0.1.0_alpha2 > 0.1.0_alpha,
		0.1.0_alpha < 2.2.39-r1, 1.0.4-r3 < 1.0.4-r4, 1.0.4-r4 < 1.6, 1.6 > 1.0.2, 0.7-r1 < 1.0.0, 1.1 > 1.1_alpha1,
		1.2.1 > 1.2, 1.2 < 1.3_alpha, 1.3_alpha2 < 1.3_alpha3, 0.8_beta1 < 0.8_beta2, 3.10.18-r1 > 2.3.0b-r1,
		2.3.0b-r1 < 2.3.0b-r2, 0.12.3 > 0.12, 0.13_beta5 > 0.9.12, 1.2.11 < 1.2.12.1, 1.2.14-r1 > 0.7.1,
		0.2.0-r1 < 3.1_p16, 3.1_p16 < 3.1_p17, 3.1_p17 > 1.06-r6, 1.06-r6 < 006, 006 > 1.0.0, 1.2.2-r1 > 1.2.2,
		9.3.4-r2 > 9.3.4, 2.59 < 20050718-r1, 3.9.8-r5 > 2.01.01_alpha10, 1.0 > 0.99.3.20040818, 1.39 > 1.00_beta2,
		1.03-r1 < 1.12.12-r2, 4.2.52_p2-r1 < 4.2.52_p4-r2, 4.2.52_p4-r2 > 1.02.07, 1.02.07 < 1.02.10-r1,
		1.05-r18 < 1.05-r19, 2.8 < 2.20.1, 0.1.6-r3 < 0.47-r1, 2.1.9.200602141850 > 1.6, 2.5.1-r8 < 2.5.1a-r1,
		3.0.0-r2 < 021109-r3, 021109-r3 < 20060512, 3.9_pre20060124 > 0.01, 1.1.7 < 6b-r7, 1.1a < 1.3a,
		1.0-r1 > 0.15.1b, 0.15.1b-r2 > 0.15.1b, 2.10.1 > 02.08.01b, 02.08.01b < 4.77, 2.02.06 < 2.02.10,
		2.02.10 < 2.8.5-r3, 1.6d > 1.2.07.8, 1.2.07.8 < 1.2.12.04, 1.2.12.04 < 1.2.12.05, 1.07-r1 < 1.07.5,
		0.20070118 < 0.20070207_rc1, 4.5_p1-r1 > 4.5_p1, 0.9.8c-r1 < 0.9.8d, 2.2.3-r2 < 013, 013 < 014-r1,
		1.2.2 < 2.04, 2.04 < 2.4.3-r1, 1.7 < 1.7b, 1.8.5 < 1.8.5_p2, 0.98 < 1.00, 2.9.11_pre20051101-r3 > 2.9.11_pre20051101,
		1.6.8_p12-r1 > 1.6.8_p9-r2, 0.9.28-r2 < 0.9.28.1, 0.9.28.1 < 087-r1, 087-r1 < 103, 104-r11 > 104-r9,
		2.12r-r4 < 2.12r-r5, 7.0.17 < 7.0.174, 1.3-r0 < 1.3.1-r0, 1.3_pre1-r1 < 1.3.2, 1.0_p10-r0 > 1.0_p9-r0,
		0.1.0_alpha_pre2 < 0.1.0_alpha, 1.0.0_pre20191002222144-r0 < 1.0.0_pre20210530193627-r0,
		6.0_pre1 < 6.0, 6.1_pre1 < 6.1, 6.0_p1 > 6.0, 6.1_p1 > 6.1`,
	// vercmp ignores a release that only one side has: see appendAlpm.
	Alpm: `1.5.0 = 1.5.0, 1.5.1 > 1.5.0, 1.5.1 > 1.5, 1.5.0-1 = 1.5.0-1, 1.5.0-1 < 1.5.0-2, 1.5.0-1 < 1.5.1-1, 1.5.0-2 < 1.5.1-1,
		1.5-1 < 1.5.1-1, 1.5-2 < 1.5.1-1, 1.5-2 < 1.5.1-2, 1.0-1 < 1.1, 1.1-1 > 1.0, 1.5b-1 < 1.5-1, 1.5b < 1.5, 1.5b-1 < 1.5,
		1.5b < 1.5.1, 1.0a < 1.0alpha, 1.0alpha < 1.0b, 1.0b < 1.0beta, 1.0beta < 1.0rc, 1.0rc < 1.0, 1.5.a > 1.5, 1.5.b > 1.5.a,
		1.5.1 > 1.5.b, 1.5-1 < 1.5.b, 2.0 = 2_0, 2.0_a = 2_0.a, 2.0a < 2.0.a, 2___a > 2_a, 0:1.0 = 0:1.0, 0:1.0 < 0:1.1,
		1:1.0 > 0:1.0, 1:1.0 > 0:1.1, 1:1.0 < 2:1.1, 1:1.0 > 0:1.0-1, 1:1.0-1 > 0:1.1-1, 0:1.0 = 1.0, 0:1.0 < 1.1, 0:1.1 > 1.0,
		1:1.0 > 1.0, 1:1.0 > 1.1, 1:1.1 > 1.1`,
	NuGet: `1.0.0 = 1.0.0, 1.0.0-BETA = 1.0.0-beta, 1.0.0-BETA+AA = 1.0.0-beta+aa, 1.0.0-BETA.X.y.5.77.0+AA = 1.0.0-beta.x.y.5.77.0+aa,
		0.0.0 < 1.0.0, 1.0.0 < 1.1.0, 1.0.0 < 1.0.1, 1.999.9999 < 2.1.1, 1.0.0-BETA < 1.0.0-beta2, 1.0.0-beta+AA < 1.0.0+aa,
		1.0.0-BETA < 1.0.0-beta.1+AA, 1.0.0-BETA.X.y.5.77.0+AA < 1.0.0-beta.x.y.5.79.0+aa,
		1.0.0-BETA.X.y.5.79.0+AA < 1.0.0-beta.x.y.5.790.0+abc`,
	Pub: `1.0.0-alpha < 1.0.0-alpha.1, 1.0.0-alpha.1 < 1.0.0-beta.2, 1.0.0-beta.2 < 1.0.0-beta.11, 1.0.0-beta.11 < 1.0.0-rc.1,
		1.0.0-rc.1 < 1.0.0-rc.1+build.1, 1.0.0-rc.1+build.1 < 1.0.0, 1.0.0 < 1.0.0+0.3.7, 1.0.0+0.3.7 < 1.3.7+build,
		1.3.7+build < 1.3.7+build.2.b8f12d7, 1.3.7+build.2.b8f12d7 < 1.3.7+build.11.e0f985a, 1.3.7+build.11.e0f985a < 2.0.0,
		2.2.0 < 2.11.0, 2.11.0 < 2.11.1, 01.2.3 = 1.2.3, 1.02.3 = 1.2.3, 1.2.03 = 1.2.3, 1.2.3-01 = 1.2.3-1, 1.2.3+01 = 1.2.3+1`,
	Packagist: `1.0.0 = 1.0.0.0, 1.0.0RC1dev = 1.0.0.0-RC1-dev, 1.0.0-rC15-dev = 1.0.0.0-RC15-dev, 1.0.0.RC.15-dev = 1.0.0.0-RC15-dev,
		1.0.0.pl3-dev = 1.0.0.0-patch3-dev, 1.0-dev = 1.0.0.0-dev, 0 = 0.0.0.0, 10.4.13-beta = 10.4.13.0-beta, 10.4.13beta.2 = 10.4.13.0-beta2,
		10.4.13-b = 10.4.13.0-beta, 10.4.13-b5 = 10.4.13.0-beta5, 2010.1.555 = 2010.1.555.0, 1.0.0-beta.5+foo = 1.0.0.0-beta5,
		1.0.0-alpha.3.1+foo = 1.0.0.0-alpha3.1, 1.0.0-alpha-2.1-3+foo = 1.0.0.0-alpha2.1-3, v20100102 = 20100102,
		2010-01-02 = 2010.01.02, 2010-01-02.5 = 2010.01.02.5, 20100102-203040 = 20100102.203040, 20100102203040-10 = 20100102203040.10,
		20100102-203040-p1 = 20100102.203040-patch1, 2010-01-02 < 2010-01-03, 20100102-203040 < 20100102-203041,
		20100102-203040 < 20100102-203040-p1, 2010-01-02-beta1 < 2010-01-02`,
}

func TestVectors(t *testing.T) {
	for s, list := range vectors {
		for line := range strings.SplitSeq(list, ",") {
			v := strings.Fields(line)
			require.Len(t, v, 3, "%s: %q", s, line)
			want := map[string]int{"<": -1, "=": 0, ">": 1}[v[1]]
			for _, c := range []struct {
				a, b string
				want int
			}{{v[0], v[2], want}, {v[2], v[0], -want}} {
				got, err := s.Compare(c.a, c.b)
				require.NoError(t, err)
				require.Equal(t, c.want, got, "%s: %s to %s", s, c.a, c.b)
			}
		}
	}
}

// What the tools refuse has no place in the order, and apk-tools would compare
// only up to the first bad character.
func TestVectorsRefused(t *testing.T) {
	for s, list := range map[Scheme]string{
		APK:       "23_foo 1.0bc 5.1p1-r0 1-r 1-r-0 0.r1 0..1..0 1.0~AB 1.0_ 1.0_Alpha 1.0-r1_p1 1.0~ab~ab 1.0~ab_p1 .1",
		Packagist: "a 1.0.0-meh feature-foo dev-feature-foo 1.x-dev 1-2-3 100-200",
		Pub:       "-2.3.4 1.3+bu?!3ild",
	} {
		for _, v := range strings.Fields(list) {
			_, err := s.Compare(v, v)
			require.ErrorIs(t, err, boltseal.ErrMalformed, "%s %s", s, v)
		}
	}
}

// The go command orders module versions with golang.org/x/mod/semver.
func TestGoIsModSemver(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	parts := []string{"0", "1", "2", "10", ".", ".", ".", "-", "-", "a", "rc", "alpha", "Z", "0.20200101000000-abcdef012345", "+incompatible", "+b.1"}
	compared, less := 0, 0
	gen := func() string {
		v := "v" + []string{"0", "1", "2"}[r.IntN(3)] + "." + []string{"0", "1", "10"}[r.IntN(3)] + "." + []string{"0", "1", "2"}[r.IntN(3)]
		if r.IntN(3) > 0 {
			v += "-"
		}
		for range r.IntN(5) {
			v += parts[r.IntN(len(parts))]
		}
		return v
	}
	for range 20_000 {
		a, b := gen(), gen()
		if r.IntN(2) == 0 {
			b = a + parts[r.IntN(len(parts))]
		}
		if !semver.IsValid(a) || !semver.IsValid(b) {
			continue
		}
		want := semver.Compare(a, b)
		got, err := Go.Compare(a, b)
		require.NoError(t, err)
		require.Equal(t, want, got, "%s to %s", a, b)
		if compared++; want < 0 {
			less++
		}
	}
	require.Greater(t, compared, 1000)
	require.Greater(t, less, 100)
}
