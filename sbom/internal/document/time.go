package document

import (
	"time"

	"github.com/boltseal/boltseal"
)

// Time applies the rule for a reproducible document: what the caller says, else
// when the image was made, else the zero time.
func Time(option time.Time, r *boltseal.Report) time.Time {
	if option.IsZero() && r.Image != nil && r.Image.Created != nil {
		option = *r.Image.Created
	}
	if option.IsZero() {
		return time.Time{}
	}
	return option.UTC().Truncate(time.Second)
}
