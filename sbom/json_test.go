package sbom

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJSON(t *testing.T) {
	data, err := validJSON([]byte("\ufeff { \"a\" : 1,\"b\":[ ],\"\\u0063\":\"}\\\"\" , \"d\":{\"x\":[{}]},\"e\":null}\n"))
	require.NoError(t, err)
	var names, values []string
	for name, value := range jsonObject(data) {
		names, values = append(names, name), append(values, string(value))
	}
	require.Equal(t, []string{"a", "b", "c", "d", "e"}, names)
	require.Equal(t, []string{"1", "[ ]", `"}\""`, `{"x":[{}]}`, "null"}, values)
	values = nil
	for value := range jsonArray([]byte(`[1,"a" , [2,[]],{"]":0} ,true]`)) {
		values = append(values, string(value))
	}
	require.Equal(t, []string{"1", `"a"`, "[2,[]]", `{"]":0}`, "true"}, values)
	for _, bad := range []string{"", "{", `{"a"}`, "[1,]", "1 2"} {
		_, err := validJSON([]byte(bad))
		require.Error(t, err, bad)
	}
}

// FuzzJSON compares with package encoding/json, which has the same idea of
// what the members of an object are as long as it fills a map.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"a":1,"A":{"b":[1,"]"]},"a":"\"", "":null, "x": [ ] }`))
	f.Add([]byte(`[ 1, -2e3 ,"é\\", {"a":{}}, [], false]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		data, err := validJSON(data)
		if err != nil {
			return
		}
		var object map[string]json.RawMessage
		if data[0] == '{' {
			require.NoError(t, json.Unmarshal(data, &object))
		}
		got := map[string]json.RawMessage{}
		for name, value := range jsonObject(data) {
			got[name] = value
		}
		require.Len(t, got, len(object))
		for name, value := range object {
			require.Equal(t, string(value), string(got[name]), name)
		}
		var array []json.RawMessage
		if data[0] == '[' {
			require.NoError(t, json.Unmarshal(data, &array))
		}
		for value := range jsonArray(data) {
			require.Equal(t, string(array[0]), string(value))
			array = array[1:]
		}
		require.Empty(t, array)
	})
}
