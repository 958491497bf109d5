//go:build unix

package lambda

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestNewPoolRefusesWhatAWSWouldRefuse(t *testing.T) {
	tests := []struct {
		name    string
		change  func(*Function)
		options Options
		expect  []string // in the error
	}{
		{name: "an empty function, with every reason", change: func(fn *Function) { *fn = Function{} },
			expect: []string{"name is empty", "ARN is empty", "region is empty", "executable is empty"}},
		{name: "too little memory", change: func(fn *Function) { fn.MemoryMB = 127 },
			expect: []string{"memory is 127 MB, expected 128 to 10240"}},
		{name: "too much memory", change: func(fn *Function) { fn.MemoryMB = 10241 },
			expect: []string{"memory is 10241 MB, expected 128 to 10240"}},
		{name: "a negative timeout", change: func(fn *Function) { fn.Timeout = -time.Second },
			expect: []string{"timeout is -1s, expected 1ms to 15m0s"}},
		{name: "a timeout over 15 minutes", change: func(fn *Function) { fn.Timeout = 15*time.Minute + 1 },
			expect: []string{"expected 1ms to 15m0s"}},
		{name: "a variable with a bad name", change: func(fn *Function) { fn.Environment = map[string]string{"1ST": "s3cret"} },
			expect: []string{`environment variable "1ST": expected a letter`}},
		{name: "a variable with a short name", change: func(fn *Function) { fn.Environment = map[string]string{"A": "s3cret"} },
			expect: []string{`environment variable "A": expected a letter`}},
		{name: "a variable that no process can receive", change: func(fn *Function) { fn.Environment = map[string]string{"AB": "s3cret\x00"} },
			expect: []string{`environment variable "AB" holds a NUL byte`}},
		{name: "more than 4 KB of variables", change: func(fn *Function) { fn.Environment = map[string]string{"AB": strings.Repeat("x", 4095)} },
			expect: []string{"environment variables take 4097 bytes, expected at most 4096"}},
		{name: "less than no process", options: Options{MaxProcesses: -2},
			expect: []string{"at most -2 processes"}},
	}
	for _, name := range reserved {
		tests = append(tests, struct {
			name    string
			change  func(*Function)
			options Options
			expect  []string
		}{name: "the reserved variable " + name, change: func(fn *Function) { fn.Environment = map[string]string{name: "s3cret"} },
			expect: []string{strconv.Quote(name) + " is reserved by Lambda"}})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := NewPool(declared(function, test.change), test.options)
			if err == nil {
				p.Close()
				t.Fatal("accepted")
			}
			for _, text := range test.expect {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("got %q, expected it to say %q", err, text)
				}
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%q repeats a value", err)
			}
		})
	}
}

func TestTheEnvironmentIsLambdasAndTheStacksOnly(t *testing.T) {
	for _, name := range []string{"AWS_PROFILE", "HTTPS_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "GODEBUG_OF_MINE"} {
		t.Setenv(name, "the developer's")
	}
	p := newPool(t, declared(function, func(fn *Function) {
		fn.MemoryMB = 512
		fn.Environment = map[string]string{"AUDIENCE": "https://seats.test/", "TZ": "Europe/Berlin", "SSL_CERT_FILE": "/declared"}
	}), Options{})
	var got struct {
		Environment []string
		Directory   string
	}
	if err := json.Unmarshal(invoke(t, p, `{"do":"environment"}`).Payload, &got); err != nil {
		t.Fatal(err)
	}
	resolved, err := filepath.EvalSymlinks(built) // a temporary directory is a link on macOS
	if err != nil {
		t.Fatal(err)
	}
	if got.Directory != resolved && got.Directory != built {
		t.Errorf("runs in %s, expected the executable's directory %s", got.Directory, built)
	}
	expected := map[string]string{ // a regular expression each
		"AUDIENCE":                        "https://seats.test/",
		"AWS_ACCESS_KEY_ID":               "not-a-credential-.*",
		"AWS_DEFAULT_REGION":              "eu-central-1",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
		"AWS_LAMBDA_FUNCTION_NAME":        "cinema-seats",
		"AWS_LAMBDA_FUNCTION_VERSION":     `\$LATEST`,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/cinema-seats",
		"AWS_LAMBDA_LOG_STREAM_NAME":      `\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}`,
		"AWS_LAMBDA_RUNTIME_API":          `127\.0\.0\.1:\d+`,
		"AWS_REGION":                      "eu-central-1",
		"AWS_SECRET_ACCESS_KEY":           "not-a-credential-.*",
		"AWS_SESSION_TOKEN":               "not-a-credential-.*",
		"LAMBDA_RUNTIME_DIR":              regexp.QuoteMeta(built),
		"LAMBDA_TASK_ROOT":                regexp.QuoteMeta(built),
		"LANG":                            `en_US\.UTF-8`,
		"PATH":                            "/usr/local/bin:/usr/bin:/bin",
		"SSL_CERT_FILE":                   "/declared",
		"TMPDIR":                          ".*/lambda-.*",
		"TZ":                              "Europe/Berlin",
		"_HANDLER":                        "bootstrap",
		"_X_AMZN_TRACE_ID":                "Root=.*", // by aws-lambda-go, in the process
	}
	seen := make(map[string]string)
	for _, variable := range got.Environment {
		name, value, _ := strings.Cut(variable, "=")
		seen[name] = value
		pattern, known := expected[name]
		if !known {
			t.Errorf("%s is set", name)
		} else if !regexp.MustCompile("^(?:" + pattern + ")$").MatchString(value) {
			t.Errorf("%s is %q, expected %s", name, value, pattern)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		if _, ok := seen[name]; !ok {
			t.Errorf("%s is not set", name)
		}
	}
}

func TestTheFunctionIsToldAboutItsInvocation(t *testing.T) {
	p := newPool(t, declared(function, func(fn *Function) { fn.Timeout = 20 * time.Second }), Options{})
	var got struct {
		RequestID, ARN, Trace string
		Remaining             int64
	}
	r := invoke(t, p, `{"do":"context"}`)
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatal(err)
	}
	if got.RequestID != r.RequestID {
		t.Errorf("request id %q, expected %q", got.RequestID, r.RequestID)
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(got.RequestID) {
		t.Errorf("request id %q, expected a UUID of version 4", got.RequestID)
	}
	if got.ARN != p.fn.ARN {
		t.Errorf("ARN %q, expected %q", got.ARN, p.fn.ARN)
	}
	if !regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=[01]$`).MatchString(got.Trace) {
		t.Errorf("trace id %q", got.Trace)
	}
	if got.Remaining <= 0 || got.Remaining > 20_000 {
		t.Errorf("%d ms remain, expected some of 20 s", got.Remaining)
	}
}

func TestARuntimeThatBreaksTheRulesIsToldSo(t *testing.T) {
	log := newNotebook()
	p := newPool(t, declared(manual, func(fn *Function) {
		fn.Environment = map[string]string{"MODE": "breaks the rules"}
	}), Options{Log: log.note})
	r := invoke(t, p, `{}`)
	var got map[string]int
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatalf("%v in %s", err, r.Payload)
	}
	expected := map[string]int{
		"response to nobody":     400,
		"error to nobody":        400,
		"init error after init":  403,
		"next before the answer": 403,
		"unknown path":           404,
		"wrong verb":             405,
		"from a page":            403,
		"by another name":        403,
	}
	if !maps.Equal(got, expected) {
		t.Errorf("got %v, expected %v", got, expected)
	}
	if last := r.LogTail; len(last) != 1 || last[0] != "first and second answer: 202 403" {
		t.Errorf("log %q, expected the first answer to be accepted and the second refused", last)
	}
}

// A version's number is in the log stream's name, too.
func TestPublishedVersionIsInTheEnvironment(t *testing.T) {
	fn := Function{Name: "cinema-seats", ARN: "arn", Region: "eu-central-1", Executable: "bootstrap", Version: "7"}
	variables := fn.environment("127.0.0.1:1", "/", "/", newLogStream(time.Now(), fn.Version))
	if !slices.Contains(variables, "AWS_LAMBDA_FUNCTION_VERSION=7") || !slices.ContainsFunc(variables, func(v string) bool {
		return strings.HasPrefix(v, "AWS_LAMBDA_LOG_STREAM_NAME=") && strings.Contains(v, "/[7]")
	}) {
		t.Errorf("expected version 7, got %v", variables)
	}
}
