// Package logline writes what the functions log: one JSON object a line, in the form of
// Lambda's own JSON lines. It does not filter: whoever writes a line keeps tokens and claims
// out of it.
package logline

import (
	"io"
	"log/slog"
)

// New returns a logger that writes to a function's standard output or error.
func New(to io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{ReplaceAttr: timestamp}))
}

// timestamp renames slog's time to the name that OPA and Lambda use, and writes it in UTC.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
func timestamp(groups []string, attribute slog.Attr) slog.Attr {
	if len(groups) == 0 && attribute.Key == slog.TimeKey {
		return slog.Time("timestamp", attribute.Value.Time().UTC())
	}
	return attribute
}
