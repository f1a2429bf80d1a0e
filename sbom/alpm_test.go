package sbom

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

const alpmSample = "%NAME%\nlibxml2-python\n\n%VERSION%\n1:2.9-3\n\n%BASE%\nlibxml2\n\n%ARCH%\nx86_64\n\n%PACKAGER%\nA B <a@b>\n\n" +
	"%LICENSE%\nMIT\nGPL\n\n%DEPENDS%\nglibc>=2.27\nlibz.so=1-64\nsh\n\n%PROVIDES%\nlibxml2.so=2-64\n\n%VALIDATION%\npgp\n"

func TestALPM(t *testing.T) {
	for _, eol := range []string{"\n", "\r\n"} {
		dos := func(s string) string { return strings.ReplaceAll(s, "\n", eol) }
		tr := newTree(map[string]string{
			"etc/os-release":                         "ID=arch\nBUILD_ID=rolling\n",
			alpmDir + "ALPM_DB_VERSION":              "9\n",
			alpmDir + "libxml2-python-1:2.9-3/desc":  dos(alpmSample),
			alpmDir + "libxml2-python-1:2.9-3/files": dos("%FILES%\nusr/\nusr/lib/\nusr/lib/libxml2.so\n\n%BACKUP%\netc/x\tabc\n"),
			alpmDir + "broken-1/desc":                "%NAME%\nbroken\n",
		}).scan(t, OSRelease(), ALPM())
		require.Len(t, tr.errs, 1)
		require.ErrorIs(t, tr.errs[0], boltseal.ErrMalformed)
		require.ErrorContains(t, tr.errs[0], "broken-1")
		require.Equal(t, []string{"libxml2-python 1:2.9-3"}, tr.lines("alpm"))
		pkg := tr.packages[0]
		require.Equal(t, "pkg:alpm/arch/libxml2-python@1:2.9-3?arch=x86_64&distro=arch&upstream=libxml2", pkg.PURL)
		require.Equal(t, []string{"glibc", "libz.so", "sh"}, pkg.DependsOn)
		require.Equal(t, []string{"libxml2.so"}, pkg.Provides)
		require.Equal(t, []string{"MIT", "GPL"}, pkg.Licenses)
		require.Equal(t, []string{"usr/lib/libxml2.so"}, pkg.Files)
		require.Equal(t, "A B <a@b>", pkg.Vendor)
	}
}

func FuzzALPM(f *testing.F) {
	f.Add([]byte(alpmSample))
	f.Add([]byte("%FILES%\nusr/\nusr/a\n\n%%\n\x00\n%X%"))
	f.Fuzz(func(t *testing.T, data []byte) {
		readAlpmDesc(data)
		for _, name := range splitPaths(alpmFiles(data)) {
			require.NotContains(t, name, "\x00")
		}
	})
}
