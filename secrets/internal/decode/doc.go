// Package decode takes content apart, so that credentials inside are seen as
// their writer saw them: members of archives, compressed streams, git objects,
// constants of compiled code, encoded runs of text.
//
// There are three kinds of decoder.
//
//   - [Open] reads a container and shows its members, each as a stream, in one
//     pass and without seeking.
//   - A mask ([Class], [Python], [Dex]) is a reader that blanks the bytes of a format
//     between strings and keeps every offset; a fold ([Wide]) turns wide
//     characters into bytes, at a fixed stride.
//   - A [Finder] is shown content block by block and finds stretches of it that
//     are encoded: base64, hexadecimal, escapes, wide characters.
//
// Decoders know nothing of rules and findings. They hold no state between
// files, read hostile input in bounded time and memory, and report
// everything that they left unread.
package decode
