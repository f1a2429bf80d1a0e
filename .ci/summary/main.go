// Command summary reads the output of go test -json and prints a line for each
// package, what failed with its output, and what was skipped with its reason.
// It fails if a test was skipped that this machine should have run: one whose
// reason does not name data or rights that may be absent here.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

// allowed are parts of reasons that excuse a skip on a machine that has all
// that .ci/run installs.
var allowed = []string{
	"BOLTSEAL_IMAGES", // large images, built on request
	"BOLTSEAL_SHARED", // a folder of test data beside the checkout
	"../shared",
	"testing.Short",
	"short mode",
	"not on this architecture",
	"maven-artifact", // a Java library, compared with on request
	"BOLTSEAL_PEERS", // other programs, compared with on request
	"BOLTSEAL_LONG",  // larger samples of the same tests, on request
	"BOLTSEAL_TREES", // other people's files, scanned on request
	"BOLTSEAL_KNOWN_KEYS",
	"gitleaks/v8 is not in the module cache", // compared with where it is
	"rustc", "javac",                         // compilers of half a gigabyte
}

func main() {
	output := map[string][]string{}
	var passed, failed int
	var failures, skips, unexpected []string
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Println(in.Text())
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			output[key] = append(output[key], e.Output)
		case "pass":
			if e.Test == "" {
				fmt.Printf("ok    %6.1f s  %s\n", e.Elapsed, e.Package)
			} else {
				passed++
			}
		case "fail":
			if e.Test == "" {
				fmt.Printf("FAIL  %6.1f s  %s\n", e.Elapsed, e.Package)
			} else {
				failed++
			}
			failures = append(failures, key)
		case "skip":
			if e.Test == "" {
				continue // no test files
			}
			reason := ""
			for _, line := range output[key] {
				if l := strings.TrimSpace(line); !strings.HasPrefix(l, "===") && !strings.HasPrefix(l, "---") {
					reason += l + " "
				}
			}
			text := fmt.Sprintf("%s: %s", key, reason)
			skips = append(skips, text)
			if !excused(reason) {
				unexpected = append(unexpected, text)
			}
		}
	}
	for _, key := range failures {
		fmt.Printf("\n--- %s\n%s", key, strings.Join(output[key], ""))
	}
	sort.Strings(skips)
	if len(skips) > 0 {
		fmt.Println("\nskipped:")
		for _, s := range skips {
			fmt.Println("  " + s)
		}
	}
	if len(unexpected) > 0 {
		fmt.Println("\nskipped, and should have run here:")
		for _, s := range unexpected {
			fmt.Println("  " + s)
		}
	}
	fmt.Printf("\n%d passed, %d failed, %d skipped\n", passed, failed, len(skips))
	if in.Err() != nil || len(failures) > 0 || len(unexpected) > 0 {
		os.Exit(1)
	}
}

func excused(reason string) bool {
	for _, a := range allowed {
		if strings.Contains(reason, a) {
			return true
		}
	}
	return false
}
