package secrets

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/boltseal/boltseal"
)

// configBytes bounds an image's configuration.
const configBytes = 8 << 20

// Config scans an image's configuration, which is no file of any layer and which
// everybody reads who may pull the image: environment, labels, commands, health check,
// build triggers and history, with the build arguments that builders write into it
// (OCI image specification, config.md), and the annotations of its manifest and
// index, which may be nil. Whatever else the document holds is scanned too.
//
// A location's Path is config:Env[NAME], config:Labels[key], config:Cmd, history[2],
// annotations[key]; a step of the history names the layer that it made. What is
// found counts one step more severe than in a file. The configuration is at most 8 MiB.
func (s *Scanner) Config(ctx context.Context, config []byte, annotations map[string]string) (Result, error) {
	return s.run(ctx, "config", func(sc *scan, _ content) error {
		cs := &configScan{
			bytes: func(c content, b []byte) error { return sc.bytes(ctx, c, b) },
			value: func(c content, name string, b []byte) error { return sc.value(ctx, c, name, b) },
		}
		if err := cs.annotations(annotations); err != nil {
			return err
		}
		return cs.document(config)
	})
}

// configScan scans the parts of one configuration.
type configScan struct {
	bytes func(c content, b []byte) error
	value func(c content, name string, b []byte) error
}

// at is a place in the configuration.
func at(path, layer string) content {
	return content{loc: boltseal.Location{Path: path, Layer: layer}, fixed: true, place: placeImage}
}

func (s *configScan) annotations(all map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if err := s.value(at("annotations["+key+"]", ""), key, []byte(all[key])); err != nil {
			return err
		}
	}
	return nil
}

func (s *configScan) document(config []byte) error {
	if len(config) > configBytes {
		return fmt.Errorf("%d bytes: %w of %d", len(config), boltseal.ErrLimit, configBytes)
	}
	if len(config) == 0 {
		return nil
	}
	var doc map[string]any
	if err := json.Unmarshal(config, &doc); err != nil {
		// What cannot be parsed is read as text, so that nothing hides in it.
		if serr := s.bytes(at("config", ""), config); serr != nil {
			return serr
		}
		return fmt.Errorf("no JSON object: %w", boltseal.ErrMalformed)
	}
	for _, key := range slices.Sorted(maps.Keys(doc)) {
		var err error
		switch key {
		case "config", "container_config":
			err = s.settingsOf(key, doc[key])
		case "history":
			err = s.history(doc[key], doc["rootfs"])
		default:
			err = s.other(key, key, doc[key])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settingsOf scans what a container is started with.
func (s *configScan) settingsOf(prefix string, v any) error {
	members, ok := v.(map[string]any)
	if !ok {
		return s.other(prefix, prefix, v)
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		path := prefix + ":" + key
		var err error
		switch v := members[key].(type) {
		case []any:
			switch words := texts(v); key {
			case "Env":
				err = s.env(path, words)
			case "OnBuild":
				for i, line := range words {
					if err = s.instruction(at(path+"["+strconv.Itoa(i)+"]", ""), line); err != nil {
						break
					}
				}
			default:
				err = s.command(path, words)
			}
		case map[string]any:
			switch key {
			case "Labels":
				for _, label := range slices.Sorted(maps.Keys(v)) {
					if text, ok := v[label].(string); ok && err == nil {
						err = s.value(at(path+"["+label+"]", ""), label, []byte(text))
					}
				}
			case "Healthcheck":
				words, _ := v["Test"].([]any)
				err = s.command(path, texts(words))
			default:
				err = s.other(path, key, v)
			}
		default:
			err = s.other(path, key, v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// texts returns the strings of a list.
func texts(list []any) (out []string) {
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func (s *configScan) env(path string, env []string) error {
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if err := s.value(at(path+"["+name+"]", ""), name, []byte(value)); err != nil {
			return err
		}
	}
	return nil
}

// command scans words as one command line.
func (s *configScan) command(path string, words []string) error {
	line := make([]string, len(words))
	for i, w := range words {
		if line[i] = w; len(words) > 1 && len(w) < 256 && strings.ContainsAny(w, " \t") && !strings.ContainsAny(w, "'\"") {
			line[i] = "'" + w + "'"
		}
	}
	return s.bytes(at(path, ""), []byte(strings.Join(line, " ")))
}

// history scans the steps that made the image.
func (s *configScan) history(v, rootfs any) error {
	steps, _ := v.([]any)
	root, _ := rootfs.(map[string]any)
	ids, _ := root["diff_ids"].([]any)
	layers := texts(ids)
	for i, v := range steps {
		step, _ := v.(map[string]any)
		layer := ""
		if empty, _ := step["empty_layer"].(bool); !empty && len(layers) > 0 {
			layer, layers = layers[0], layers[1:]
		}
		c := at("history["+strconv.Itoa(i)+"]", layer)
		if text, ok := step["created_by"].(string); ok {
			if err := s.instruction(c, text); err != nil {
				return err
			}
		}
		for _, key := range []string{"author", "comment"} {
			if text, ok := step[key].(string); ok {
				if err := s.bytes(c, []byte(text)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// instruction scans a line of a Dockerfile, as BuildKit writes it ("ENV A=b", "RUN |1
// ARG=value /bin/sh -c …") or the classic builder ("/bin/sh -c #(nop)  ENV A=b",
// "|1 ARG=value /bin/sh -c …").
func (s *configScan) instruction(c content, line string) error {
	if _, text, ok := strings.Cut(line, "#(nop)"); ok {
		line = text
	}
	line = strings.TrimSpace(line)
	word, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(word) {
	case "ENV", "ARG", "LABEL":
		if !strings.Contains(rest, "=") { // the old form: a name, and all the rest is its value
			name, value, _ := strings.Cut(strings.TrimSpace(rest), " ")
			rest = name + "=" + value
		}
		return s.assignments(c, rest, 1<<16)
	case "RUN":
		line = strings.TrimSpace(rest)
	}
	if n, args, ok := buildArgs(line); ok {
		end := len(args)
		if i := shell(args); i >= 0 {
			end = i
		}
		if err := s.assignments(c, args[:end], n); err != nil {
			return err
		}
		line = args[end:]
	}
	return s.bytes(c, []byte(line))
}

// buildArgs reads |n, which says how many build arguments follow.
func buildArgs(line string) (n int, rest string, ok bool) {
	if !strings.HasPrefix(line, "|") {
		return 0, "", false
	}
	digits, rest, _ := strings.Cut(line[1:], " ")
	n, err := strconv.Atoi(digits)
	return n, rest, err == nil && n >= 0
}

// shell returns where the shell begins that runs the command.
func shell(args string) int {
	first := -1
	for _, sh := range []string{"/bin/sh -c ", "/bin/bash ", "/bin/ash ", "/bin/zsh ", "cmd /S /C ", "powershell "} {
		if i := strings.Index(args, sh); i >= 0 && (first < 0 || i < first) {
			first = i
		}
	}
	return first
}

// assignments scans at most n NAME=value, whose values may have blanks in them.
func (s *configScan) assignments(c content, text string, n int) error {
	name, value := "", ""
	flush := func() error {
		if name == "" {
			return nil
		}
		v := strings.TrimSpace(value)
		if len(v) > 1 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0] {
			v = v[1 : len(v)-1]
		}
		return s.value(c, name, []byte(v))
	}
	for word := range strings.SplitSeq(text, " ") {
		if k, v, ok := strings.Cut(word, "="); ok && n > 0 && isName(k) {
			if err := flush(); err != nil {
				return err
			}
			name, value = k, v
			n--
		} else {
			value += " " + word
		}
	}
	if name == "" {
		return s.bytes(c, []byte(text))
	}
	return flush()
}

func isName(s string) bool {
	for _, c := range []byte(s) {
		if c != '_' && c != '.' && c != '-' && c != '/' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return s != ""
}

// other scans whatever else there is.
func (s *configScan) other(path, name string, v any) error {
	switch v := v.(type) {
	case string:
		return s.value(at(path, ""), name, []byte(v))
	case []any:
		for i, e := range v {
			if err := s.other(path+"["+strconv.Itoa(i)+"]", name, e); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if err := s.other(path+"."+key, key, v[key]); err != nil {
				return err
			}
		}
	}
	return nil
}
