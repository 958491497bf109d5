// Command runtime speaks the Runtime API by hand, to do what aws-lambda-go would
// not: break its rules, and end at odd moments.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const errorType = "Lambda-Runtime-Function-Error-Type"

func main() {
	switch mode := os.Getenv("MODE"); mode {
	case "init error":
		post("init/error", `{"errorMessage":"no key set","errorType":"Runtime.Config"}`, "")
		os.Exit(1)
	case "init error, then stays":
		post("init/error", "", "Runtime.Config")
		time.Sleep(time.Hour)
	case "answers and exits":
		id := next()
		post("invocation/"+id+"/response", `"answered"`, "")
		os.Exit(3)
	case "answers and hangs":
		id := next()
		post("invocation/"+id+"/response", `"answered"`, "")
		time.Sleep(time.Hour)
	case "exits with 0":
		next()
	case "error without a document":
		for {
			post("invocation/"+next()+"/error", "", "Custom.Failure")
		}
	case "answers too much":
		for {
			id := next()
			fmt.Println("too much:", post("invocation/"+id+"/response", strings.Repeat("x", 6<<20+101), ""))
		}
	case "breaks the rules":
		id := next()
		report, _ := json.Marshal(map[string]int{
			"response to nobody":     post("invocation/00000000-0000-4000-8000-000000000000/response", "1", ""),
			"error to nobody":        post("invocation/nobody/error", "{}", ""),
			"init error after init":  post("init/error", "{}", ""),
			"next before the answer": get("invocation/next", nil),
			"unknown path":           get("nonsense", nil),
			"wrong verb":             post("invocation/next", "", ""),
			"from a page":            get("invocation/next", http.Header{"Origin": {"https://example.com"}}),
			"by another name":        get("invocation/next", http.Header{"Host": {"rebound.example.com"}}),
		})
		first := post("invocation/"+id+"/response", string(report), "")
		second := post("invocation/"+id+"/response", "2", "")
		fmt.Println("first and second answer:", first, second)
		next()
	default:
		panic("MODE is " + mode)
	}
}

func url(path string) string {
	return "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/" + path
}

func next() string {
	answer, err := http.Get(url("invocation/next"))
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		panic(err)
	}
	return answer.Header.Get("Lambda-Runtime-Aws-Request-Id")
}

func get(path string, header http.Header) int {
	request, err := http.NewRequest(http.MethodGet, url(path), nil)
	if err != nil {
		panic(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Host = header.Get("Host")
	return do(request)
}

func post(path, body, kind string) int {
	request, err := http.NewRequest(http.MethodPost, url(path), bytes.NewReader([]byte(body)))
	if err != nil {
		panic(err)
	}
	request.Header.Set(errorType, kind)
	return do(request)
}

func do(request *http.Request) int {
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		panic(err)
	}
	return answer.StatusCode
}
