package spdx

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/sbom/internal/document/sample"
)

func TestRoundTrip(t *testing.T) {
	r := sample.Report()
	first := write(t, r, nil)
	got, err := Read(bytes.NewReader(first), nil)
	require.NoError(t, err)
	want := sample.Back()
	for i := range want { // the JSON of Evidence keeps the technique as it was
		for j := range want[i].Evidence {
			if want[i].Evidence[j].Detail == `a "word"` {
				want[i].Evidence[j].Technique = ""
			}
		}
	}
	require.Equal(t, want, got.Packages)
	require.Equal(t, r.Distro, got.Distro)
	require.Equal(t, r.Image.Digest, got.Image.Digest)
	require.Equal(t, r.Image.Name, got.Image.Name)
	require.Equal(t, r.Layers, got.Layers)
	require.False(t, got.Complete)

	// What was read says all that was written.
	require.Equal(t, string(first), string(write(t, got, &WriteOptions{Created: *got.Created})))
}

func TestReadLicenses(t *testing.T) {
	rd := reader{licenses: map[string]string{"LicenseRef-1": "some words"}}
	for in, want := range map[string][]string{
		"":                             nil,
		"NOASSERTION":                  nil,
		"NONE":                         nil,
		"MIT":                          {"MIT"},
		"MIT AND LicenseRef-1":         {"MIT", "some words"},
		"(MIT OR 0BSD) AND Zlib":       {"MIT OR 0BSD", "Zlib"},
		"MIT OR 0BSD AND Zlib":         {"MIT OR 0BSD AND Zlib"},
		"LicenseRef-sha256-ab AND MIT": {"MIT"},
		")) AND (":                     {")) AND ("},
	} {
		require.Equal(t, want, rd.stated(in), in)
	}
}

func TestReadHostile(t *testing.T) {
	const head = `{"spdxVersion":"SPDX-2.3","packages":[{"SPDXID":"SPDXRef-a","name":"a","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/a@1"}]},`
	for name, doc := range map[string]string{
		"cut":      head,
		"version":  `{"packages":[]}`,
		"SPDX 3":   `{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}`,
		"array":    `[]`,
		"string":   `{"spdxVersion":"SPDX-2.3","packages":"x"}`,
		"empty":    ``,
		"too deep": head + strings.Repeat(`{"annotations":[`, 20000),
	} {
		_, err := Read(strings.NewReader(doc), nil)
		require.ErrorIs(t, err, boltseal.ErrMalformed, name)
	}
	got, err := Read(strings.NewReader(head), nil)
	require.Error(t, err)
	require.Len(t, got.Packages, 1, "what was read is kept")
	require.False(t, got.Complete)

	_, err = Read(strings.NewReader(head+strings.Repeat(" ", 1000)), &ReadOptions{Limits: &boltseal.Limits{FileBytes: 500}})
	require.ErrorIs(t, err, boltseal.ErrLimit)
	got, err = Read(strings.NewReader(head+`{"name":"b"}]}`), &ReadOptions{Limits: &boltseal.Limits{FileResults: 1}})
	require.ErrorIs(t, err, boltseal.ErrLimit)
	require.Len(t, got.Packages, 1)

	// A bad record costs that record.
	got, err = Read(strings.NewReader(head+`null, {"name":"n"}, {"name":"x","externalRefs":[null,{"referenceType":"purl","referenceLocator":"pkg:"}]},
		{"name":7,"supplier":"?","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/b@2"}]}],"relationships":[null,{"spdxElementId":"x"}]}`), nil)
	require.NoError(t, err)
	require.Len(t, got.Packages, 2)
	require.Equal(t, "pkg:npm/b@2", got.Packages[1].PURL)
	require.False(t, got.Complete)
}

func FuzzRead(f *testing.F) {
	for _, p := range sample.Report().Packages { // small seeds: the fuzzer minimizes what it finds
		var b bytes.Buffer
		require.NoError(f, Write(&b, &boltseal.Report{Packages: []boltseal.ReportPackage{p}}, &WriteOptions{Compact: true}))
		f.Add(b.Bytes())
	}
	f.Add([]byte(`{"spdxVersion":"SPDX-2.2","documentDescribes":["SPDXRef-a"],"packages":[{"SPDXID":"SPDXRef-a","name":"debian","versionInfo":"12.5","primaryPackagePurpose":"OPERATING-SYSTEM"},{"SPDXID":"SPDXRef-b","name":"b","licenseDeclared":"(MIT OR Zlib) AND LicenseRef-x","externalRefs":[{"referenceCategory":"PACKAGE_MANAGER","referenceType":"purl","referenceLocator":"pkg:deb/debian/b@1?distro=trixie"}]}],"relationships":[{"spdxElementId":"SPDXRef-b","relationshipType":"DEPENDENCY_OF","relatedSpdxElement":"SPDXRef-a"}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		limits := &boltseal.Limits{FileBytes: 1 << 20, FileResults: 1000}
		r, err := Read(bytes.NewReader(doc), &ReadOptions{Limits: limits})
		require.NotNil(t, r)
		if err != nil {
			return
		}
		// What can be read can be written, and read again, with the same packages.
		once := new(bytes.Buffer)
		require.NoError(t, Write(once, r, nil))
		again, err := Read(once, nil)
		require.NoError(t, err)
		require.LessOrEqual(t, len(again.Packages), len(r.Packages))
	})
}
