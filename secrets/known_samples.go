package secrets

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// knownSamples are credentials that documentation prints and that open nothing,
// or only an emulator: each line is the start of a SHA-256.
const knownSamples = `
1a5d44a2dca19669 AWS's documentation: access key
c6ea27c534f993d3 AWS's documentation: second access key
78314b11be2e5815 AWS's documentation: secret key
e21b597ba6b9cafa AWS's documentation: second secret key
7f75367e78812551 jwt.io
c794fa6d20c64efb jwt.io
da816f9f2c16e6c5 jwt.io
a4b8b245ab28bc4f kubeadm's documentation
3002888f967a7086 Kubernetes' documentation: bootstrap token
2cafc0970149a84f Stripe's documentation
f2d6ca16515033e5 Stripe's documentation, older
0011cc25eb432071 Azure's storage emulator
aa6547439583c3a2 Azure's Cosmos DB emulator
1bbb9293c38acc5e MinIO's playground: access key
df452eef23e8cf2c MinIO's playground: secret key
8d4ef6536dc8895f RFC 7519
551b627e22895d4b Docker's documentation
b5b17ca1d65733bb Docker's documentation
33a6d3750d9a769b Docker's documentation
fbc5f7847129b77f Docker's documentation
e9897976005540a6 Docker's API description
441c66009c2ab920 Docker's API description
9ec0be036c22f06f Docker's documentation
a7331a07f97f4686 Docker's API description
8fa8115a160936ec Docker's API description
6c96130f130ab0d6 RFC 6749
00cf4c781dc37003 RFC 6749
53f5da0aaa93d64c RFC 6749
2c31d647d5667058 RFC 6749
e9974c507d2a8021 RFC 6749
b8e148545b13c78b RFC 6750
4c20e6f5cc11b937 RFC 5849
6aa14267d94944e6 RFC 5849
bb9b1163338b2a51 RFC 5849
649e1f5c769e718b RFC 5849
2ff8b0fb93aca981 RFC 5849
9d03b692e941d5ac OAuth 1.0's documentation
366da6cf65a08841 kubeadm's documentation
8dbbf9e18891d238 kubeadm's documentation
6a81b2429c0ba421 Kubernetes' documentation: password
`

// knownSample reports whether a secret is a sample that everybody copies.
func knownSample(secret []byte) bool {
	sum := sha256.Sum256(secret)
	return strings.Contains(knownSamples, "\n"+hex.EncodeToString(sum[:8])+" ")
}
