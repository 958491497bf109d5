package lambda

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reserved names cannot be declared by a stack: CreateFunction refuses them.
// Source: "Reserved environment variables" in
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html.
var reserved = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION",
	"AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME",
	"AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
	"AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_MAX_CONCURRENCY", "AWS_LAMBDA_METADATA_API",
	"AWS_LAMBDA_METADATA_TOKEN", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY",
	"AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
}

// variableName is the pattern of the Environment type in Lambda's API reference,
// https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html.
var variableName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)

// checkEnvironment names every declared variable that AWS would refuse. It never
// repeats a value: values may be secrets.
func checkEnvironment(declared map[string]string) []error {
	var problems []error
	size := 0
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		size += len(name) + len(declared[name])
		switch {
		case slices.Contains(reserved, name):
			problems = append(problems, fmt.Errorf("environment variable %q is reserved by Lambda: give it another name", name))
		case !variableName.MatchString(name):
			problems = append(problems, fmt.Errorf("environment variable %q: expected a letter, then letters, digits or underscores, at least two characters", name))
		case strings.ContainsRune(declared[name], 0):
			problems = append(problems, fmt.Errorf("environment variable %q holds a NUL byte, which no process can receive: remove it", name))
		}
	}
	if size > maxEnvironment {
		problems = append(problems, fmt.Errorf("environment variables take %d bytes, expected at most %d: move large values elsewhere", size, maxEnvironment))
	}
	return problems
}

// environment is the whole environment of one process, as name=value: Lambda's variables
// for an OS-only runtime, the declared ones and [Function.Reach]. Nothing comes from the developer's
// environment: the cloud would not have it.
//
// Some variables differ from the cloud's. The task root and the runtime directory are the
// executable's directory, since there is no /var/task. TMPDIR names a directory of the
// process in place of /tmp. LD_LIBRARY_PATH is unset, since its value names directories of
// Amazon Linux. AWS_EXECUTION_ENV and _X_AMZN_TRACE_ID are absent as in the cloud: Lambda
// does not define them for OS-only runtimes.
func (fn Function) environment(runtimeAPI, taskRoot, tmp, logStream string) []string {
	variables := map[string]string{
		// Not reserved: a declared value replaces these three.
		"LANG": "en_US.UTF-8",
		"PATH": "/usr/local/bin:/usr/bin:/bin",
		"TZ":   ":UTC",
		// The process's own directory in place of Lambda's /tmp.
		"TMPDIR": tmp,
	}
	maps.Copy(variables, fn.Environment)
	maps.Copy(variables, map[string]string{
		"_HANDLER":                        "bootstrap",
		"AWS_LAMBDA_RUNTIME_API":          runtimeAPI,
		"AWS_REGION":                      fn.Region,
		"AWS_DEFAULT_REGION":              fn.Region,
		"AWS_LAMBDA_FUNCTION_NAME":        fn.Name,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(fn.MemoryMB),
		"AWS_LAMBDA_FUNCTION_VERSION":     fn.Version,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       fn.LogGroup,
		"AWS_LAMBDA_LOG_STREAM_NAME":      logStream,
		"LAMBDA_TASK_ROOT":                taskRoot,
		"LAMBDA_RUNTIME_DIR":              taskRoot,
		// An SDK finds credentials, and AWS refuses them: no call can reach an account.
		"AWS_ACCESS_KEY_ID":     "not-a-credential-local-emulation",
		"AWS_SECRET_ACCESS_KEY": "not-a-credential-local-emulation",
		"AWS_SESSION_TOKEN":     "not-a-credential-local-emulation",
	})
	maps.Copy(variables, fn.Reach)
	maps.DeleteFunc(variables, func(name, value string) bool {
		_, set := fn.Reach[name]
		return set && value == ""
	})
	list := make([]string, 0, len(variables))
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		list = append(list, name+"="+variables[name])
	}
	return list
}

// newLogStream names the log stream of one process: day, version, random part.
func newLogStream(now time.Time, version string) string {
	return now.UTC().Format("2006/01/02") + "/[" + version + "]" + randomHex(16)
}

// newTraceID returns an X-Ray tracing header. Sampled is 0: no trace is recorded
// here, so a function must not send segments. Format:
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader.
func newTraceID(now time.Time) string {
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", now.Unix(), randomHex(12), randomHex(8))
}

// randomHex returns n random bytes as hexadecimal digits.
func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}
