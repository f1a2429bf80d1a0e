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
`

// knownSample reports whether a secret is a sample that everybody copies.
func knownSample(secret []byte) bool {
	sum := sha256.Sum256(secret)
	return strings.Contains(knownSamples, "\n"+hex.EncodeToString(sum[:8])+" ")
}
