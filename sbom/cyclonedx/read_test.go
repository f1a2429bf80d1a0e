package cyclonedx

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/sbom/internal/document/sample"
)

func TestRoundTrip(t *testing.T) {
	r := sample.Report()
	r.Findings = nil
	first := write(t, r, nil)
	got, err := Read(bytes.NewReader(first), nil)
	require.NoError(t, err)
	require.Equal(t, sample.Back(), got.Packages)
	require.Equal(t, r.Distro, got.Distro)
	require.Equal(t, r.Image.Digest, got.Image.Digest)
	require.Equal(t, r.Image.Name, got.Image.Name)
	require.Equal(t, r.Layers, got.Layers)
	require.False(t, got.Complete)

	// What was read says all that was written.
	require.Equal(t, string(first), string(write(t, got, &WriteOptions{Created: *got.Created})))
}

func TestReadHostile(t *testing.T) {
	const head = `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"a","purl":"pkg:npm/a@1"},`
	for name, doc := range map[string]string{
		"cut":      head,
		"not one":  `{"components":[{"type":"library","name":"a","purl":"pkg:npm/a@1"}]}`,
		"array":    `[]`,
		"string":   `{"bomFormat":"CycloneDX","components":"x"}`,
		"empty":    ``,
		"too deep": head + strings.Repeat(`{"components":[`, 20000),
	} {
		_, err := Read(strings.NewReader(doc), nil)
		require.ErrorIs(t, err, boltseal.ErrMalformed, name)
	}
	got, err := Read(strings.NewReader(head), nil)
	require.Error(t, err)
	require.Len(t, got.Packages, 1, "what was read is kept")
	require.False(t, got.Complete)

	_, err = Read(strings.NewReader(`<?xml version="1.0"?><bom/>`), nil)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = Read(strings.NewReader(head+strings.Repeat(" ", 1000)), &ReadOptions{Limits: &boltseal.Limits{FileBytes: 500}})
	require.ErrorIs(t, err, boltseal.ErrLimit)
	got, err = Read(strings.NewReader(head+`{"purl":"pkg:npm/b@1"}]}`), &ReadOptions{Limits: &boltseal.Limits{FileResults: 1}})
	require.ErrorIs(t, err, boltseal.ErrLimit)
	require.Len(t, got.Packages, 1)

	// A bad record costs that record; a bad part, that part.
	got, err = Read(strings.NewReader(head+`null, {"type":"library","name":"n"}, {"name":"x","purl":"pkg:"},
		{"name":7,"purl":"pkg:npm/b@2","licenses":{"x":1},"evidence":{"identity":7},"hashes":[1]}], "dependencies": null}`), nil)
	require.NoError(t, err)
	require.Len(t, got.Packages, 2)
	require.Equal(t, "pkg:npm/b@2", got.Packages[1].PURL)
	require.False(t, got.Complete)
	require.Len(t, got.Skipped, 2)
}

func FuzzRead(f *testing.F) {
	for _, p := range sample.Report().Packages { // small seeds: the fuzzer minimizes what it finds
		var b bytes.Buffer
		require.NoError(f, Write(&b, &boltseal.Report{Packages: []boltseal.ReportPackage{p}}, &WriteOptions{Compact: true}))
		f.Add(b.Bytes())
	}
	f.Add([]byte(`{"bomFormat":"CycloneDX","metadata":{"component":{"type":"container","name":"x"}},"components":[{"type":"operating-system","name":"debian","version":"12.5"},{"purl":"pkg:deb/debian/a@1?epoch=1&distro=bookworm&upstream=b@2"},{"purl":"pkg:rpm/r/p@1-2?upstream=q-3-4.src.rpm","evidence":{"identity":{"field":"purl","methods":[{}]},"occurrences":[{"location":"/a","line":-1}]}}]}`))
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
