package boltseal

// Observer receives progress. Every func is optional, is called from several
// goroutines at once, and must return quickly.
type Observer struct {
	// Begin is called when work on an item starts. Total is the number of
	// bytes to expect, 0 if unknown.
	Begin func(item string, total int64)
	// Advance is called with the number of bytes done since the last call.
	Advance func(item string, n int64)
	// End is called once for each Begin. Err is nil if all went well.
	End func(item string, err error)
}

// Start calls Begin. It may be called on nil, as may Step and Finish.
func (o *Observer) Start(item string, total int64) {
	if o != nil && o.Begin != nil {
		o.Begin(item, total)
	}
}

// Step calls Advance.
func (o *Observer) Step(item string, n int64) {
	if o != nil && o.Advance != nil {
		o.Advance(item, n)
	}
}

// Finish calls End.
func (o *Observer) Finish(item string, err error) {
	if o != nil && o.End != nil {
		o.End(item, err)
	}
}
