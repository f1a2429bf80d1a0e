package jetstream

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/opencontainers/go-digest"
)

// lanes is into how many streams jobs and results are divided, by digest. All
// processes that share a queue must agree on it.
const lanes = 4

func (q *Queue) jobs(lane int) string     { return q.Name + "-jobs-" + strconv.Itoa(lane) }
func (q *Queue) bucket(lane int) string   { return q.Name + "-results-" + strconv.Itoa(lane) }
func (q *Queue) dead() string             { return q.Name + "-dead" }
func (q *Queue) grave(part string) string { return q.Name + ".dead." + part }

// subject is where the job of a digest is queued: the lane, the version of the
// analysis, the digest.
func (q *Queue) subject(d digest.Digest) string {
	return fmt.Sprintf("%s.job.%d.%s.%s", q.Name, laneOf(d), q.analysis(), part(d))
}

// key is the name of a result: the digest and the analysis.
func (q *Queue) key(d digest.Digest) string { return part(d) + "." + q.analysis() }

// analysis is Options.Analyzers as a part of a name.
func (q *Queue) analysis() string {
	sum := sha256.Sum256([]byte(q.Analyzers))
	return hex.EncodeToString(sum[:8])
}

func part(d digest.Digest) string { return d.Algorithm().String() + "-" + d.Encoded() }

func laneOf(d digest.Digest) int {
	n, _ := strconv.ParseUint(d.Encoded()[:2], 16, 8) // valid: it is hexadecimal
	return int(n % lanes)
}

// prepare makes the streams, or finds them, and sets what the queue relies on.
// What else an operator set stays.
func (q *Queue) prepare(ctx context.Context) error {
	for lane := range lanes {
		err := q.stream(ctx, q.jobs(lane), func(c *jetstream.StreamConfig) {
			c.Subjects = []string{fmt.Sprintf("%s.job.%d.>", q.Name, lane)}
			c.Retention, c.MaxAge = jetstream.WorkQueuePolicy, q.Keep
			// One message for each digest, waiting or being worked on; a second is
			// refused. A window of time, as message identities have, would refuse
			// what is wanted again, and forget what is under way.
			c.MaxMsgsPerSubject, c.Discard, c.DiscardNewPerSubject = 1, jetstream.DiscardNew, true
		})
		if err == nil {
			err = q.keyValue(ctx, q.bucket(lane), q.Keep)
		}
		if err != nil {
			return err
		}
	}
	return q.stream(ctx, q.dead(), func(c *jetstream.StreamConfig) {
		c.Subjects, c.MaxMsgsPerSubject, c.MaxAge = []string{q.grave("*")}, 1, 90*24*time.Hour
	})
}

func (q *Queue) stream(ctx context.Context, name string, set func(*jetstream.StreamConfig)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	config := jetstream.StreamConfig{Name: name, Storage: jetstream.FileStorage, Replicas: 1}
	s, err := q.js.Stream(ctx, name)
	if err == nil {
		config = s.CachedInfo().Config
	} else if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("stream %s: %w", name, err)
	}
	if q.Replicas > 0 {
		config.Replicas = q.Replicas
	}
	set(&config)
	if _, err := q.js.CreateOrUpdateStream(ctx, config); err != nil {
		return fmt.Errorf("stream %s: %w", name, err)
	}
	return nil
}

func (q *Queue) keyValue(ctx context.Context, name string, ttl time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	kv, err := q.js.KeyValue(ctx, name)
	switch {
	case err == nil && (q.Replicas == 0 || replicas(ctx, kv) == q.Replicas):
	case err == nil || errors.Is(err, jetstream.ErrBucketNotFound):
		_, err = q.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: name, TTL: ttl, Storage: jetstream.FileStorage, Replicas: max(q.Replicas, 1)})
	}
	if err != nil {
		return fmt.Errorf("bucket %s: %w", name, err)
	}
	return nil
}

func replicas(ctx context.Context, kv jetstream.KeyValue) int {
	s, err := kv.Status(ctx)
	if err != nil {
		return 0
	}
	return s.Config().Replicas
}

// queued reports whether an error of a publication says that the digest is
// queued already.
func queued(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == 10077 // maximum messages per subject exceeded
}

// taken reports whether an error of a write says that somebody wrote before: one
// number of a single server, another of a cluster.
func taken(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, jetstream.ErrKeyExists) || errors.As(err, &api) &&
		(api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}
