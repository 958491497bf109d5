package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"account-api/local/gateway"
	"account-api/local/lambda"
	"account-api/local/notice"
	"account-api/local/trace"
)

// trouble is why a function failed, for the developer whose function it is.
type trouble struct {
	message string // one line
	at      string // file:line of the project's code in the stack, "" if there is none
}

// source is what a function was declared to be.
type source struct {
	handler  string // directory of its main package
	memoryMB int
}

// readTrouble finds out why a function failed, or answered with a server error. A refusal of
// an authorizer is no trouble. The message is "" if there is none, or no
// reason.
func readTrouble(result lambda.Result, of source, root string) trouble {
	var document struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
		Stack   []struct {
			Path string `json:"path"`
			Line int    `json:"line"`
		} `json:"stackTrace"`
	}
	if result.FunctionError != "" {
		if json.Unmarshal(result.Payload, &document) != nil || document.Message == refusal {
			return trouble{}
		}
		if document.Type == "Runtime.ExitError" && result.MemoryMB > of.memoryMB {
			return trouble{message: fmt.Sprintf("its process took %d MB and was ended: the function declares a memory of %d MB", result.MemoryMB, of.memoryMB)}
		}
		if document.Type == "Runtime.ExitError" {
			if t := readCrash(result.LogTail, root); t.message != "" {
				return t
			}
		}
		t := trouble{message: oneLine(document.Message)}
		if document.Type != "" && document.Type != "errorString" {
			t.message = oneLine(document.Type + ": " + document.Message)
		}
		for _, frame := range document.Stack {
			// Its path begins with the import path. Package main has that of its directory's name.
			dir, base := path.Split(frame.Path)
			file := ownFile(root, strings.TrimPrefix(frame.Path, module(root)+"/"))
			if path.Clean(dir) == path.Base(of.handler) {
				file = ownFile(root, path.Join(of.handler, base))
			}
			if file != "" {
				t.at = file + ":" + strconv.Itoa(frame.Line)
				break
			}
		}
		return t
	}
	if !serverError(result) {
		return trouble{}
	}
	for _, line := range slices.Backward(result.LogTail) {
		var entry struct {
			Level   string `json:"level"`
			Error   string `json:"error"`
			Cause   string `json:"cause"`
			Message string `json:"message"`
		}
		if json.Unmarshal([]byte(line), &entry) != nil || entry.Level != "ERROR" {
			continue
		}
		text, stack, _ := strings.Cut(entry.Error+entry.Cause, "\n")
		if entry.Message != "" {
			if isPanic := strings.HasPrefix(text, "panic: "); isPanic {
				text = "panic: " + entry.Message
			} else {
				text = entry.Message
			}
		}
		return trouble{message: oneLine(text), at: firstOwn(root, stack)}
	}
	return trouble{}
}

// readCrash finds what the Go runtime writes of the end of its process, such as of a panic in a
// goroutine that the function started. The message is "" if there is none.
func readCrash(lines []string, root string) trouble {
	for i, line := range lines {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return trouble{message: oneLine(line), at: firstOwn(root, strings.Join(lines[i+1:], "\n"))}
		}
	}
	return trouble{}
}

// refusal is the message with which an authorizer refuses a token.
const refusal = "Unauthorized"

// frame is a place in the stack of a goroutine, as package runtime/debug prints it.
var frame = regexp.MustCompile(`(?m)^\t(.+):(\d+)`)

// firstOwn is the first place of the project's code in the stack of a panic.
func firstOwn(root, stack string) string {
	if _, since, found := strings.Cut(stack, "\npanic("); found {
		stack = since
	}
	for _, place := range frame.FindAllStringSubmatch(stack, -1) {
		if file := ownFile(root, strings.TrimPrefix(place[1], module(root)+"/")); file != "" {
			return file + ":" + place[2]
		}
	}
	return ""
}

// ownFile is the path below root of a file of the project, "" for any other. It takes paths
// below root, too.
func ownFile(root, file string) string {
	if filepath.IsAbs(file) {
		absolute, err := filepath.Abs(root)
		if err != nil {
			return ""
		}
		if file, err = filepath.Rel(absolute, file); err != nil {
			return ""
		}
	}
	if info, err := os.Stat(filepath.Join(root, file)); !filepath.IsLocal(file) || err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return file
}

var moduleLine = regexp.MustCompile(`(?m)^module (\S+)`)

// module is the project's import path, "" if it has none.
func module(root string) string {
	content, _ := os.ReadFile(filepath.Join(root, "go.mod"))
	if found := moduleLine.FindSubmatch(content); found != nil {
		return string(found[1])
	}
	return ""
}

// maxMessage bounds a message in the output, in bytes.
const maxMessage = 400

// unknownEndpoint is what the resolver says of an AWS service's name where AWS is out of reach.
var unknownEndpoint = regexp.MustCompile(`lookup \S+\.amazonaws\.com\b.*: no such host`)

func oneLine(message string) string {
	message = trace.WithoutTokens(strings.Join(strings.Fields(message), " "))
	hint := ""
	if unknownEndpoint.MatchString(message) {
		hint = " (" + notice.Reach + ")"
	}
	return cut(message, maxMessage) + hint
}

// cut is a text of at most so many bytes, which says if something is left out.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// withoutKeys adds what to do where the authorizer cannot fetch the provider's keys: the
// command that says why, for the stack.
func withoutKeys(e gateway.Exchange, stack string) gateway.Exchange {
	if a := e.Authorization; e.AnsweredBy == "authorizer" && a != nil && a.Invocation != nil && a.Invocation.LoggedAsReason == "jwks_unavailable" {
		e.Reason += ": make explain STACK=" + quoted(stack) + " </dev/null says why its issuer's keys cannot be fetched"
	}
	return e
}

// serverError reports whether a proxy integration's answer is one.
func serverError(result lambda.Result) bool {
	var answer struct {
		Status int `json:"statusCode"`
	}
	return result.FunctionError == "" && json.Unmarshal(result.Payload, &answer) == nil && answer.Status >= http.StatusInternalServerError
}
