// Package spdx writes and reads SPDX JSON (ISO/IEC 5962).
//
//	err := spdx.Write(w, report, nil)          // version 2.3
//	report, err := spdx.Read(r, nil)           // 2.2 and 2.3, any writer's
//
// A document is a pure function of the report and the options: packages by
// package URL and path, identifiers from package URL and location, the
// namespace from the content. What the format has no field for stands in
// annotations of the form boltseal:name=value.
//
// All functions may be called concurrently.
package spdx
