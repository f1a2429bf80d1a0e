package orchestrator

import (
	"fmt"
	"strconv"
	"strings"
)

func positive(v string) bool { return atLeast(1)(v) }

func atLeast(n int) func(string) bool {
	return func(v string) bool {
		got, err := strconv.Atoi(v)
		return err == nil && got >= n
	}
}

func loopback(v string) bool { return strings.HasPrefix(v, "127.") || v == "::1" || v == "localhost" }

// gateNotOff accepts a list of feature gates that does not switch one off.
func gateNotOff(gate string) func(string) bool {
	return func(v string) bool {
		for pair := range strings.SplitSeq(v, ",") {
			if name, on, _ := strings.Cut(strings.TrimSpace(pair), "="); name == gate {
				if b, err := strconv.ParseBool(on); err == nil && !b {
					return false
				}
			}
		}
		return true
	}
}

// word writes a value as it stands in YAML.
func word(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

func orDefault(set bool, value, unset string) string {
	if set {
		return value
	}
	return unset
}
