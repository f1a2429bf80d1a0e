package decode

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestOverflowsOfSQLite(t *testing.T) {
	for _, page := range []string{"512", "4096", "65536"} {
		data := shell(t, "sqlite3", `sqlite3 o "pragma page_size=`+page+`; create table t(a text primary key, b text); create index i on t(b);
with recursive n(i) as (select 1 union all select i+1 from n where i<40) insert into t select 'key '||i||' '||printf('%.*c', i*100, 'k'), 'value '||i||' '||printf('%.*c', i*3000, 'v') from n;"`, "o")
		size, ok := SQLiteHead(data[:100])
		require.True(t, ok)
		_, ok = SQLiteHead([]byte("SQLite format 3\x00"))
		require.False(t, ok)
		var cells []string
		require.NoError(t, Overflows(bytes.NewReader(data), int64(len(data)), free, func(at int64, cell []byte) error {
			require.Less(t, at, int64(len(data)))
			cells = append(cells, string(cell))
			return nil
		}))
		all := strings.Join(cells, "\x00")
		for _, n := range []int{30, 40} { // longer than a page of any size
			if n*3000 > size {
				require.Contains(t, all, strings.Repeat("v", n*3000), "%s: %d", page, n)
			}
		}
	}
}

func FuzzOverflows(f *testing.F) {
	f.Add(shell(f, "sqlite3", `sqlite3 o "pragma page_size=512; create table t(a text primary key, b text); insert into t values (printf('%.*c', 700, 'k'), printf('%.*c', 900, 'v'));"`, "o"))
	f.Fuzz(func(t *testing.T, data []byte) {
		spent := 0
		Overflows(bytes.NewReader(data), int64(len(data)), func(n int) error {
			if spent += n; spent > 16<<20 {
				return boltseal.ErrLimit
			}
			return nil
		}, func(int64, []byte) error { return nil })
	})
}
