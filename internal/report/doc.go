// Package report draws a [boltseal.Report] for people and for tools: a table
// for a terminal, one self-contained HTML page, a SARIF log, and JSON without
// characters that a terminal would act on. [ClusterHTML] and [FleetHTML] are the
// pages of examples/clusteraudit and examples/registrywatch.
//
//	err := report.Table(os.Stdout, r, &report.TableOptions{Width: 100, Color: true, Layers: true})
//	err := report.HTML(w, r)
//	err := report.SARIF(w, r, report.Tool{Name: "imagescan", Version: "1.0"})
//	err := r.WriteJSON(report.JSON(w))
//
// Names, versions, paths and texts come from whoever built the image, so every
// string passes [Clean] on its way out: no control character, escape sequence or
// change of writing direction reaches a terminal or a page.
//
// The same report always gives the same bytes.
package report
