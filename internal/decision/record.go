package decision

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// recordType is the type of a decision log's line, as OPA's:
// https://www.openpolicyagent.org/docs/management-decision-logs
const recordType = "openpolicyagent.org/decision_logs"

// Record is a decision from a handler's log.
type Record struct {
	Type   string    `json:"type"`
	ID     string    `json:"decision_id"`
	Path   string    `json:"path"` // of the entrypoint
	Input  Input     `json:"input"`
	Erased []string  `json:"erased"` // JSON pointers, as in /input/principal
	Result *Decision `json:"result"`
}

// ReadLog reads the decisions of a log, one JSON object a line. What precedes the object does
// not count: make run writes a time and a function's name there, aws logs tail a stream's.
// Other lines are skipped: a function's log has more than decisions. A log without any decision
// is an error.
func ReadLog(log io.Reader) (records []Record, err error) {
	for lines := bufio.NewReader(log); err == nil; {
		var line []byte
		line, err = lines.ReadBytes('\n')
		record := Record{}
		object := line[max(bytes.IndexByte(line, '{'), 0):]
		if json.Unmarshal(bytes.TrimSpace(object), &record) == nil && record.Type == recordType && record.Result != nil {
			records = append(records, record)
		}
	}
	switch {
	case !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("read log: %w", err)
	case len(records) == 0:
		return nil, fmt.Errorf("read log: expected a line of the type %s with a result, as a handler's decision log has it, got none", recordType)
	}
	return records, nil
}
