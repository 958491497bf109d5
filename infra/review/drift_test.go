package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestDrift(t *testing.T) {
	const (
		outputs   = `{"packages":{"door":{"arn":"arn:aws:lambda:eu-north-1:123456789012:function:shop-door:live","sha256":"0102"}}}`
		unaliased = `{"packages":{"door":{"arn":"arn:aws:lambda:eu-north-1:123456789012:function:shop-door","sha256":"0102"}}}`
		alias     = "lambda get-function-configuration --function-name arn:aws:lambda:eu-north-1:123456789012:function:shop-door:live --region eu-north-1"
		latest    = "lambda get-function-configuration --function-name arn:aws:lambda:eu-north-1:123456789012:function:shop-door --region eu-north-1"
	)
	same := document(t, []step{one("same", queue, "q", object{}, object{})})
	changed := document(t, []step{one("update", queue, "q", object{"delay": 7}, object{"delay": 1})})
	for _, row := range []struct {
		name, outputs, preview, live, latest string
		passes                               bool
		says                                 string
	}{
		{"nothing differs", outputs, same, "AQI=\n", "AQI=\n", true, "stack test is what was deployed: 1 package, and every setting"},
		{"an alias that was moved", outputs, same, "AQM=\n", "AQI=\n", false, "shop-door:live runs code that was not deployed: expected the package 0102, got 0103. pulumi up --stack test --refresh moves the alias back\nstack test"},
		{"code that the next change would publish", outputs, same, "AQI=\n", "AQM=\n", false, "shop-door --zip-file fileb://dist/door.zip\nstack test"},
		{"swapped code that was published", outputs, same, "AQM=\n", "AQM=\n", false, "shop-door --zip-file fileb://dist/door.zip --publish\nstack test"},
		{"a function without an alias", unaliased, same, "", "AQM=\n", false, "shop-door --zip-file fileb://dist/door.zip\nstack test"},
		{"a setting that was changed by hand", outputs, changed, "AQI=\n", "AQI=\n", false, "-     delay: 7"},
		{"both", outputs, changed, "AQM=\n", "AQI=\n", false, "shop-door:live runs code that was not deployed"},
		{"a function that is gone", outputs, same, "exit 254\n", "exit 254\n", false, "exit status 254"},
		{"a preview that fails", outputs, "exit 255\n", "AQI=\n", "AQI=\n", false, "the refreshed preview of stack test failed"},
		{"a stack without the output", `{}`, same, "AQI=\n", "AQI=\n", false, "expected the output packages"},
		{"an output of another form", `{"packages":{"door":{"arn":"shop-door"}}}`, same, "AQI=\n", "AQI=\n", false, "expected the output packages to hold arn and sha256 of door"},
		{"no outputs", "exit 1\n", same, "AQI=\n", "AQI=\n", false, "exit status 1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			fake(t, "pulumi", map[string]string{"stack output --stack test --json": row.outputs, "preview --stack test --json --show-sames --non-interactive --refresh": row.preview})
			fake(t, "aws", map[string]string{alias: row.live, latest: row.latest})
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
