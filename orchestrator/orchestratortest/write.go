package orchestratortest

import (
	"bytes"
	"encoding/json"
	"io"

	"sigs.k8s.io/yaml"
)

// WriteYAML writes the objects as a stream of YAML documents.
func (w *World) WriteYAML(out io.Writer) error {
	for _, o := range w.Objects {
		data, err := yaml.Marshal(o)
		if err != nil {
			return err
		}
		if _, err := out.Write(append([]byte("---\n"), data...)); err != nil {
			return err
		}
	}
	return nil
}

// WriteJSON writes the objects as one List, the way kubectl prints a dump.
func (w *World) WriteJSON(out io.Writer) error {
	if _, err := io.WriteString(out, "{\n    \"apiVersion\": \"v1\",\n    \"items\": [\n"); err != nil {
		return err
	}
	for i, o := range w.Objects {
		data, err := json.Marshal(o)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if i > 0 {
			b.WriteString(",\n")
		}
		b.WriteString("        ")
		if err := json.Indent(&b, data, "        ", "    "); err != nil {
			return err
		}
		if _, err := out.Write(b.Bytes()); err != nil {
			return err
		}
	}
	_, err := io.WriteString(out, "\n    ],\n    \"kind\": \"List\",\n    \"metadata\": {\n        \"resourceVersion\": \"\"\n    }\n}\n")
	return err
}
