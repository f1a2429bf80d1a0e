package jetstream

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
)

const some = digest.Digest("sha256:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b")

func zipped(t testing.TB, text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestUnpackHostile(t *testing.T) {
	h := `{"digest":"` + some.String() + `","lines":`
	for name, tt := range map[string]struct {
		text string
		is   error
	}{
		"nothing":              {"", boltseal.ErrMalformed},
		"no JSON":              {"x\n", boltseal.ErrMalformed},
		"another image":        {`{"digest":"` + digest.FromString("x").String() + `","lines":0}` + "\n", boltseal.ErrMalformed},
		"cut short":            {h + "2}\n{}\n", boltseal.ErrMalformed},
		"distribution ahead":   {h + `1}` + "\n" + `{"package":{"type":"deb","name":"x","distro":1}}` + "\n", boltseal.ErrMalformed},
		"distribution below 0": {h + `1}` + "\n" + `{"package":{"type":"deb","name":"x","distro":-1}}` + "\n", boltseal.ErrMalformed},
		"negative lines":       {h + "-1}\n", boltseal.ErrLimit},
		"many lines":           {h + "1000000000}\n", boltseal.ErrLimit},
		"long line":            {h + "1}\n" + `{"distro":{"IDLike":["` + strings.Repeat(`","`, 1<<20) + `"]}}` + "\n", boltseal.ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			inv, err := unpack(some, zipped(t, tt.text))
			require.ErrorIs(t, err, tt.is)
			require.Empty(t, inv)
		})
	}
	raw, err := encode(head{Digest: some, Error: "why"}, nil)
	require.NoError(t, err)
	_, err = unpack(some, raw)
	require.Equal(t, failure("why"), err)
}

func TestSeal(t *testing.T) {
	plain, keyed, other := &Queue{}, &Queue{Options: Options{Key: []byte("0123456789abcdef")}}, &Queue{Options: Options{Key: []byte("0123456789abcdeF")}}
	raw, err := plain.unseal("here", plain.seal("here", []byte("x")))
	require.NoError(t, err)
	require.Equal(t, "x", string(raw))
	sealed := keyed.seal("here", []byte("x"))
	raw, err = keyed.unseal("here", sealed)
	require.NoError(t, err)
	require.Equal(t, "x", string(raw))
	for name, f := range map[string]func() ([]byte, error){
		"elsewhere":   func() ([]byte, error) { return keyed.unseal("there", sealed) },
		"another key": func() ([]byte, error) { return other.unseal("here", sealed) },
		"not sealed":  func() ([]byte, error) { return keyed.unseal("here", []byte("x")) },
		"changed":     func() ([]byte, error) { return keyed.unseal("here", append(sealed, 'y')) },
		"moved":       func() ([]byte, error) { return keyed.unseal("herex", keyed.seal("here", nil)) },
	} {
		_, err := f()
		require.ErrorIs(t, err, boltseal.ErrMalformed, name)
	}
}

func FuzzUnpack(f *testing.F) {
	raw, err := pack(some, registry.Inventory{Platform: "linux/amd64", Packages: []boltseal.Package{
		{Type: "deb", Name: "x", PURL: "pkg:deb/debian/x", Distro: &boltseal.Distro{ID: "debian", IDLike: []string{"y"}}}, {Type: "npm", Name: "y"}}})
	require.NoError(f, err)
	f.Add(raw)
	bad, err := encode(head{Digest: some, Error: "why"}, nil)
	require.NoError(f, err)
	f.Add(bad)
	f.Add(zipped(f, `{"digest":"`+some.String()+`","lines":2}`+"\n"+`{"package":{"distro":7}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		inv, err := unpack(some, raw)
		if err != nil {
			require.Empty(t, inv)
			return
		}
		again, err := pack(some, inv)
		require.NoError(t, err)
		twice, err := unpack(some, again)
		require.NoError(t, err)
		require.Len(t, twice.Packages, len(inv.Packages))
	})
}
