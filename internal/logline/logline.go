// Package logline writes what both functions log: one JSON object a line, in the form
// that Lambda's JSON log format gives its own lines.
//
// It decides nothing about what is logged. Tokens and claims are kept out by those
// who write a line.
package logline

import (
	"io"
	"log/slog"
)

// New returns a logger that writes to a function's standard output or error.
func New(to io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{ReplaceAttr: timestamp}))
}

// timestamp renames slog's time to what both OPA and Lambda's JSON log format call it,
// and writes it in UTC.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
func timestamp(groups []string, attribute slog.Attr) slog.Attr {
	if len(groups) == 0 && attribute.Key == slog.TimeKey {
		return slog.Time("timestamp", attribute.Value.Time().UTC())
	}
	return attribute
}
