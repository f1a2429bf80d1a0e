package secrets

import (
	"bytes"
	"context"
	"slices"
)

// State is what a provider said of a credential.
type State string

const (
	StateUnknown State = "unknown" // nobody was asked, or the answer says nothing
	StateLive    State = "live"    // it was accepted
	StateDead    State = "dead"    // it was rejected, in so many words
	StateDenied  State = "denied"  // it was recognised, and may not do what was asked
)

// Verifier asks a provider whether a credential works. Package secrets has none and
// opens no socket: callers who want to know implement it, with their own
// judgement of what may be asked of whom. Only an explicit rejection is dead: a
// timeout, an error or a surprising answer is unknown.
//
// Webhooks and routing keys are not shown to it: to try one is to use it.
// Verify is called from many goroutines, and must neither keep nor log the token.
type Verifier interface {
	Verify(ctx context.Context, c Verifiable) (State, error)
}

// Verifiable is a credential in the clear, for a [Verifier] alone.
type Verifiable struct {
	Rule, Provider string
	// Token is valid during the call only.
	Token []byte
	// Parts are its other half and what belongs to it: account, host, user.
	Parts []Part
}

// acting are the rules whose test would act: post a message, raise an alarm.
func acting(r *Rule) bool {
	for _, p := range []string{"*webhook*", "*-routing-*", "zapier-*"} {
		if glob(p, r.ID) {
			return true
		}
	}
	return false
}

// ask copies a candidate for the caller's verifier, if there is one.
func (v *view) ask(c *Candidate) *Verifiable {
	if v.opts.verifier == nil || c.Kind == KindEncrypted || acting(c.Rule) {
		return nil
	}
	return &Verifiable{Rule: c.Rule.ID, Provider: c.Rule.Provider, Token: bytes.Clone(c.Token), Parts: slices.Clone(c.Parts)}
}

// verify asks about each secret once. What a verifier's error says is dropped:
// it may hold the token.
func (s *scan) verify(ctx context.Context) {
	for _, m := range s.grouped.order {
		c := s.grouped.ask[m.Fingerprint]
		if c == nil {
			continue
		}
		state, err := s.opts.verifier.Verify(ctx, *c)
		clear(c.Token)
		switch {
		case err != nil || state != StateLive && state != StateDead && state != StateDenied:
			m.State = StateUnknown
			m.Notes = append(slices.Clip(m.Notes), "its provider could not be asked")
		default:
			m.State = state
			m.Notes = append(slices.Clip(m.Notes), "its provider says: "+string(state))
		}
	}
}
