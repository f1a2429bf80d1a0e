package secrets

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/secrets/internal/decode"
)

// databases are SQLite databases: their pages are scanned as they are, with what was
// deleted and not overwritten, and cells that are continued on other pages once
// more, joined.
var databases = container{
	name: "sqlite",
	match: func(_ string, head []byte) bool {
		_, ok := decode.SQLiteHead(head)
		return ok
	},
	open: func(ctx context.Context, f feeder, c content, data boltseal.Content) error {
		r, size, err := data.ReaderAt()
		if errors.Is(err, boltseal.ErrLimit) {
			f.skip(c, fmt.Sprintf("cells on several pages were not joined: %v", err))
			return f.reader(ctx, c, data.Reader())
		}
		if err != nil {
			return err
		}
		spent := int64(0)
		err = decode.Overflows(r, size, func(n int) error {
			if spent += int64(n); spent > 4*size+1<<20 { // pages that several cells claim
				return fmt.Errorf("overflow pages in more than one cell: %w", boltseal.ErrMalformed)
			}
			return ctx.Err()
		}, func(at int64, cell []byte) error {
			part := c.decoded("sqlite", at, 0)
			m := &memberReader{f: f}
			return settle(ctx, f, part, m, f.bytes(ctx, part, cell))
		})
		if err := ctx.Err(); err != nil {
			return err
		}
		if err != nil {
			f.skip(c, "cells on several pages: "+err.Error())
		}
		return f.reader(ctx, c, io.NewSectionReader(r, 0, size))
	},
}
