package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var goBlock = regexp.MustCompile("(?s)```go\n(package main\n.*?)```")

// TestReadmeCompiles vets each program that README shows.
func TestReadmeCompiles(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	blocks := goBlock.FindAllSubmatch(readme, -1)
	require.NotEmpty(t, blocks)
	for _, b := range blocks {
		require.Empty(t, vet(t, b[1]))
	}
	require.NotEmpty(t, vet(t, []byte("package main\nfunc main() { undefined() }\n")))
}

// vet type-checks a program inside the module and returns the complaints.
func vet(t *testing.T, src []byte) string {
	dir, err := os.MkdirTemp(root, ".readme")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), src, 0o644))
	cmd := exec.Command("go", "vet", ".")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		return ""
	}
	return strings.TrimSpace(string(out)) + err.Error()
}

// TestReadmeWeights holds README's table of weights against testdata/weights.txt.
func TestReadmeWeights(t *testing.T) {
	weights, err := os.ReadFile(filepath.Join("testdata", "weights.txt"))
	require.NoError(t, err)
	table := "| package | packages | MB |\n|---|---|---|\n"
	for line := range strings.Lines(string(weights)) {
		line = strings.TrimSpace(line)
		if line == "" {
			break // the modules follow
		}
		if !strings.HasPrefix(line, "#") {
			f := strings.Split(line, "\t")
			table += "| `" + strings.TrimPrefix(strings.Replace(f[0], module, ".", 1), "./") + "` | " + f[1] + " | " + f[2] + " |\n"
		}
	}
	path := filepath.Join(root, "README.md")
	readme, err := os.ReadFile(path)
	require.NoError(t, err)
	if *update {
		parts := regexp.MustCompile(`(?s)<!-- weights -->.*?\n## `).Split(string(readme), 2)
		require.Len(t, parts, 2)
		require.NoError(t, os.WriteFile(path, []byte(parts[0]+"<!-- weights -->\n\n"+table+"\n## "+parts[1]), 0o644))
		return
	}
	require.Contains(t, string(readme), table, weighAgain)
}
