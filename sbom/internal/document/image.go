package document

import (
	"path"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// ImagePURL is the package URL of an image (purl type oci: the last part of
// the repository, the manifest's digest, and where it was found), or "" for an
// image without a manifest digest.
func ImagePURL(img *boltseal.ReportImage) string {
	if img == nil || img.Digest == "" {
		return ""
	}
	p := purl.PURL{Type: "oci", Version: img.Digest}
	repo, tag, ok := reference(img.Name)
	if !ok {
		return ""
	}
	p.Name = repo[strings.LastIndexByte(repo, '/')+1:]
	p.Set("repository_url", repo)
	p.Set("tag", tag)
	if _, arch, ok := strings.Cut(img.Platform, "/"); ok {
		arch, _, _ = strings.Cut(arch, "/")
		p.Set("arch", arch)
	}
	return p.String()
}

// reference takes an image name apart: repository in full and tag. It reports
// false for what is no registry reference (a file, a transport).
func reference(name string) (repo, tag string, ok bool) {
	for _, file := range []string{"oci:", "oci-archive:", "docker-archive:", "dir:"} {
		if strings.HasPrefix(name, file) {
			return "", "", false
		}
	}
	name, _, _ = strings.Cut(name, "@")
	if name == "" || strings.Contains(name, "://") || name[0] == '/' || name[0] == '.' || strings.ContainsAny(name, " \\") {
		return "", "", false
	}
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name, tag = name[:i], name[i+1:]
	}
	if path.Clean(name) != name || strings.HasSuffix(name, ".tar") || strings.HasSuffix(tag, ".tar") {
		return "", "", false
	}
	if host, _, slash := strings.Cut(name, "/"); !slash || !strings.ContainsAny(host, ".:") && host != "localhost" {
		if strings.Contains(host, ":") {
			return "", "", false
		}
		if !slash {
			name = "library/" + name
		}
		name = "docker.io/" + name
	} else if strings.Contains(host, ":") && !isPort(host[strings.LastIndexByte(host, ':')+1:]) {
		return "", "", false // oci-archive:dir/x
	}
	return strings.ToLower(name), tag, true
}

func isPort(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
