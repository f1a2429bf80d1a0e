package report

import "github.com/boltseal/boltseal"

// style is an ANSI "select graphic rendition" sequence (ECMA-48 section
// 8.3.117), from the sixteen colours that every terminal theme defines.
type style string

const (
	bold     style = "\x1b[1m"
	dim      style = "\x1b[2m"
	inverse  style = "\x1b[1;7m"
	red      style = "\x1b[31m"
	boldRed  style = "\x1b[1;31m"
	yellow   style = "\x1b[33m"
	blue     style = "\x1b[34m"
	magenta  style = "\x1b[35m"
	green    style = "\x1b[32m"
	cyan     style = "\x1b[36m"
	resetAll       = "\x1b[0m"
)

func severityStyle(s boltseal.Severity) style {
	switch s {
	case boltseal.SeverityCritical:
		return boldRed
	case boltseal.SeverityHigh:
		return red
	case boltseal.SeverityMedium:
		return yellow
	case boltseal.SeverityLow:
		return blue
	case boltseal.SeverityUnknown:
		return magenta
	}
	return dim
}
