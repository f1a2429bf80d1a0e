// Package secrets finds credentials that were left in files, archives, image
// configurations and streams, at about the speed of reading them.
//
//	inv, err := image.Analyze(ctx, img, nil, secrets.New(nil))        // an image, with its other analyzers
//	for m, err := range scanner.FS(ctx, os.DirFS("repo")) { … }       // a tree of files
//	matches, err := scanner.Bytes(ctx, "config.yaml", data)           // anything else
//
// # Promises
//
//   - A secret leaves the package only as a [Secret], which prints an anchor
//     and a length, and as a keyed fingerprint. Errors and notes carry none of it.
//   - Nothing is skipped silently: every limit that was hit is a
//     [boltseal.Skip], and makes the result incomplete.
//   - No socket is opened. Whether a credential still works is for the caller
//     to find out.
//   - What is found does not depend on block borders, on the order of the rules,
//     or on how many goroutines scan.
//
// # How it works
//
// Rules are data ([Rule]). [Compile] turns their programs into a set of
// four-byte keys behind two bitmaps, so that most positions of the input cost
// one load, one multiplication and one bit. A position that passes is compared
// with the literals of the rules that own the key, and then with their
// programs, which never go back; a token that fits is looked at by the rule's
// check. Regular expressions run only for rules of users, and only near a
// keyword.
//
// Assignments, URLs, PEM blocks, authorization headers and command lines are
// found by handlers written by hand, which hang on literals of the same set.
//
// Input is read in blocks, and a position is decided when the 64 KiB on both
// sides of it, or the ends of the input, are at hand.
package secrets
