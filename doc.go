// Package boltseal is the vocabulary that every layer of the boltseal SDK
// speaks: what was found ([Package], [Finding]), in what ([Asset],
// [Location]), how bad ([Severity]), how we know ([Evidence]), and how the
// run went ([Verdict], [Skip], [Report]).
//
// The layers build on it and never import each other:
//
//   - image opens images from anywhere and reads every layer once;
//   - sbom tells which packages a tree of files holds;
//   - secrets finds credentials left in files, layers and configs;
//   - vuln matches packages against advisories;
//   - registry watches registries, orchestrator the cluster above.
//
// A check of files is a [FileAnalyzer]. It is pure data and one verb: it
// receives a [File], and pushes what it finds into a [Pass]. The same
// analyzer serves an image layer, a host's root and a running container's.
//
// # Contracts
//
// Every package of the module keeps these promises.
//
//   - Context comes first and is always honoured: cancellation returns within
//     100 ms, leaks no goroutine and leaves no file behind.
//   - Options are one struct per verb; nil and the zero value are ready to use.
//   - Iterators are single use. A non-nil error concerns one item and the
//     caller may go on; break stops all work.
//   - Errors wrap. Beside the standard errors ([errors.ErrUnsupported],
//     [io/fs.ErrNotExist], [io/fs.ErrPermission]) there are [ErrLimit],
//     [ErrMalformed] and [*Error], which says where. A partial result comes
//     with its error, never instead of it.
//   - "Found nothing" is not "passed". Every check ends with a [Verdict]; the
//     zero value is unknown. What was skipped is reported, as a [Skip].
//   - Hostile input is the normal case. Every parser has limits ([Limits]), a
//     fuzz target, and ends in time bounded by its input.
//   - Secrets never leave package secrets in the clear.
//   - Logging goes to the caller's [*log/slog.Logger]; nil discards.
//   - Progress goes to an [Observer]. No library code prints.
//   - Values are safe for concurrent use where their documentation says so,
//     and not otherwise.
package boltseal
