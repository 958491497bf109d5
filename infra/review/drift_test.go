package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestDrift(t *testing.T) {
	const (
		outputs = `{"packages":{"door":{"arn":"arn:aws:lambda:eu-north-1:123456789012:function:shop-door:live","sha256":"0102"}}}`
		lambda  = "lambda get-function-configuration --function-name arn:aws:lambda:eu-north-1:123456789012:function:shop-door:live --region eu-north-1"
	)
	same := document(t, []step{one("same", queue, "q", object{}, object{})})
	changed := document(t, []step{one("update", queue, "q", object{"delay": 7}, object{"delay": 1})})
	for _, row := range []struct {
		name, outputs, preview, live string
		passes                       bool
		says                         string
	}{
		{"nothing differs", outputs, same, "AQI=\n", true, "stack test is what was deployed: 1 package, and every setting"},
		{"code that was swapped", outputs, same, "AQM=\n", false, "door runs code that was not deployed: expected the package 0102, got 0103"},
		{"a setting that was changed by hand", outputs, changed, "AQI=\n", false, "-     delay: 7"},
		{"both", outputs, changed, "AQM=\n", false, "door runs code that was not deployed"},
		{"a function that is gone", outputs, same, "exit 254\n", false, "exit status 254"},
		{"a preview that fails", outputs, "exit 255\n", "AQI=\n", false, "the refreshed preview of stack test failed"},
		{"a stack without the output", `{}`, same, "AQI=\n", false, "expected the output packages"},
		{"an output of another form", `{"packages":{"door":{"arn":"shop-door"}}}`, same, "AQI=\n", false, "expected the output packages to hold arn and sha256 of door"},
		{"no outputs", "exit 1\n", same, "AQI=\n", false, "exit status 1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			fake(t, "pulumi", map[string]string{"stack output --stack test --json": row.outputs, "preview --stack test --json --show-sames --non-interactive --refresh": row.preview})
			fake(t, "aws", map[string]string{lambda: row.live})
			var out bytes.Buffer
			exit, err := run(t.Context(), &out, environment(nil), []string{"drift", "test"})
			says := out.String()
			if err != nil {
				says += err.Error()
			}
			if (exit == 0) != row.passes || !strings.Contains(says, row.says) {
				t.Errorf("expected success %v and %q, got exit status %d and:\n%s", row.passes, row.says, exit, says)
			}
		})
	}
}
