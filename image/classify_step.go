package image

import (
	"path"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// commands says what a RUN is for, by words that stand in it. The first match
// counts: what installs packages is told before what builds.
var commands = [...]struct {
	kind       Kind
	confidence float64
	words      []string
}{
	{KindOSPackages, .6, []string{
		"apt-get install", "apt install", "aptitude install", "apk add", "apk --no-cache add", "apk -U add", "apk --update add",
		"dnf install", "microdnf install", "yum install", "tdnf install", "zypper install", "zypper in", "pacman -S", "dpkg -i", "rpm -i", "rpm -U",
		"apt-get upgrade", "apt-get dist-upgrade", "apk upgrade", "dnf upgrade", "dnf update", "yum update", "microdnf update",
	}},
	{KindDependencies, .6, []string{
		"npm ci", "npm install", "npm i", "yarn install", "pnpm install", "pnpm i", "pip install", "pip3 install", "uv sync", "uv pip", "poetry install", "pipenv install",
		"bundle install", "gem install", "composer install", "go mod download", "mvn dependency:", "cargo fetch", "dotnet restore", "mix deps.get", "conda install",
	}},
	{KindApplication, .5, []string{
		"go build", "go install", "npm run build", "yarn build", "pnpm build", "mvn package", "mvn install", "gradle build", "cargo build", "dotnet publish", "make", "cmake",
	}},
	{KindRuntime, .4, []string{"curl", "wget"}},
	{KindConfig, .4, []string{"useradd", "adduser", "addgroup", "groupadd", "chown", "chmod", "mkdir", "ln -s", "update-ca-certificates", "sed -i"}},
}

// stepSign judges by the history.
func stepSign(s Step) sign {
	kind, confidence := s.purpose()
	if kind == "" {
		return sign{}
	}
	text := strings.TrimSpace(s.Verb + " " + s.Text)
	return sign{kind: kind, confidence: confidence, technique: boltseal.TechniqueOther, detail: "the history says: " + clip(text)}
}

func (s Step) purpose() (Kind, float64) {
	switch s.Builder {
	case "ko":
		return KindApplication, .85
	case "jib":
		switch s.Text {
		case "dependencies", "snapshot dependencies":
			return KindDependencies, .85
		case "project dependencies", "resources", "classes", "extra files":
			return KindApplication, .85
		case "jvm arg files":
			return KindConfig, .85
		}
		return "", 0
	case "apko":
		return KindOSPackages, .6
	case "nix":
		return KindMixed, .4
	case "buildpacks":
		switch {
		case strings.HasPrefix(s.Text, "Application"):
			return KindApplication, .6
		case strings.HasPrefix(s.Text, "Layer: "):
			return KindDependencies, .5
		}
		return KindTool, .6
	}
	switch s.Verb {
	case "RUN":
		for _, c := range commands {
			if slices.ContainsFunc(c.words, func(w string) bool { return hasWords(s.Text, w) }) {
				return c.kind, c.confidence
			}
		}
	case "WORKDIR":
		return KindConfig, .6
	case "COPY", "ADD":
		return copied(s.Text)
	}
	return "", 0
}

// copied judges a COPY or ADD by where it puts things.
func copied(text string) (Kind, float64) {
	sources, target, ok := copyArgs(text)
	if !ok {
		return "", 0
	}
	switch {
	case target == "/" && slices.ContainsFunc(sources, func(s string) bool {
		return strings.HasPrefix(s, "file:") || strings.Contains(s, ".tar") || strings.Contains(s, "rootfs")
	}):
		return KindBase, .5
	case target == "/etc" || strings.HasPrefix(target, "/etc/"):
		return KindConfig, .5
	case strings.HasPrefix(target, "/usr/local/bin") && len(sources) == 1 && strings.HasSuffix(sources[0], "entrypoint.sh"):
		return KindConfig, .5
	case strings.Contains(target, "node_modules"), strings.Contains(target, "site-packages"), strings.Contains(target, "/vendor"):
		return KindDependencies, .5
	}
	return KindApplication, .4
}

// copyArgs splits "[--flag] source… target", classic docker's "file:… in target"
// and the form of a JSON list.
func copyArgs(text string) (sources []string, target string, ok bool) {
	text = strings.NewReplacer("[", " ", "]", " ", `"`, " ", ",", " ").Replace(text)
	for f := range strings.FieldsSeq(text) {
		if !strings.HasPrefix(f, "--") && f != "in" {
			sources = append(sources, f)
		}
	}
	if len(sources) < 2 {
		return nil, "", false
	}
	last := len(sources) - 1
	return sources[:last], path.Clean(sources[last]), true
}

// hasWords finds words that stand for themselves, flags between them allowed:
// "apt-get -y install" has "apt-get install", "makefile" has no "make".
func hasWords(text, words string) bool {
	want := strings.Fields(words)
	at := 0
	for f := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(" \t\n;&|()", r) }) {
		f = strings.Trim(f, `"',[]`)
		switch {
		case f == want[at], strings.HasSuffix(want[at], ":") && strings.HasPrefix(f, want[at]):
			if at++; at == len(want) {
				return true
			}
		case at > 0 && strings.HasPrefix(f, "-"):
		case f == want[0]:
			at = 1
		default:
			at = 0
		}
	}
	return false
}
