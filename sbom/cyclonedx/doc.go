// Package cyclonedx writes and reads CycloneDX JSON (ECMA-424).
//
//	err := cyclonedx.Write(w, report, nil)          // version 1.6
//	report, err := cyclonedx.Read(r, nil)           // 1.2 to 1.7, any writer's
//
// A document is a pure function of the report and the options: components by
// package URL and path, references from package URL and location, the serial
// number from the content. What the format has no field for stands in
// properties named boltseal:….
//
// All functions may be called concurrently.
package cyclonedx
