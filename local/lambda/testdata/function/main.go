// Command function is a Lambda function that does what its event says. It is
// built on aws-lambda-go, as the functions are that the pool is made for.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// invocations that this process has seen.
var invocations int

type event struct {
	Do    string `json:"do"`
	Text  string `json:"text"`
	Count int    `json:"count"`
}

func main() {
	switch os.Getenv("INIT") {
	case "exit":
		fmt.Fprintln(os.Stderr, "cannot start")
		os.Exit(7)
	case "hang":
		time.Sleep(time.Hour) // a select without cases would end the process: no goroutine could go on
	case "print":
		fmt.Println("starting")
	}
	lambda.Start(handle)
}

func handle(ctx context.Context, payload json.RawMessage) (any, error) {
	invocations++
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	switch e.Do {
	case "echo":
		return payload, nil
	case "error":
		return nil, errors.New(e.Text)
	case "panic":
		panic(e.Text)
	case "exit":
		os.Exit(e.Count)
	case "hang":
		fmt.Println("hanging")
		time.Sleep(time.Hour)
	case "wait": // until a file appears
		fmt.Println("waiting")
		for {
			if _, err := os.Stat(e.Text); err == nil {
				return who(), nil
			}
			time.Sleep(time.Millisecond)
		}
	case "grow": // to that many MB, for as long as it takes to be seen
		held := make([]byte, e.Count<<20)
		for i := range held {
			held[i] = 1
		}
		if e.Text == "hang" {
			for {
				time.Sleep(time.Second)
				held[0]++
			}
		}
		return len(held), nil
	case "who":
		return who(), nil
	case "big":
		return strings.Repeat("x", e.Count-2), nil // and two quotes
	case "stream":
		return io.MultiReader(strings.NewReader(e.Text), failing{}), nil
	case "binary":
		return bytes.NewReader([]byte{0xff, 0x00, 0xfe}), nil
	case "environment":
		dir, err := os.Getwd()
		return map[string]any{"environment": os.Environ(), "directory": dir}, err
	case "context":
		lc, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return map[string]any{
			"requestID": lc.AwsRequestID, "arn": lc.InvokedFunctionArn,
			"trace": os.Getenv("_X_AMZN_TRACE_ID"), "remaining": time.Until(deadline).Milliseconds(),
		}, nil
	case "print":
		for i := range e.Count {
			fmt.Fprintf([]io.Writer{os.Stdout, os.Stderr}[i%2], "%s %d\n", e.Text, i)
		}
	case "open line":
		fmt.Print(e.Text)
	case "later": // a line between two invocations
		go func() {
			time.Sleep(50 * time.Millisecond)
			fmt.Println(e.Text)
		}()
	case "child", "daemon": // that would outlive us, and keeps our output open
		child := exec.Command("/bin/sleep", "1000")
		child.Stdout = os.Stdout
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: e.Do == "daemon"}
		if err := child.Start(); err != nil {
			return nil, err
		}
		return child.Process.Pid, nil
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		return who(), nil
	case "graceful":
		terminated := make(chan os.Signal, 1)
		signal.Notify(terminated, syscall.SIGTERM)
		go func() {
			<-terminated
			log.Print("terminated")
			os.Exit(0)
		}()
	case "file":
		return os.TempDir(), os.WriteFile(os.TempDir()+"/file", []byte(e.Text), 0o600)
	default:
		return nil, fmt.Errorf("do is %q", e.Do)
	}
	return nil, nil
}

func who() any {
	return map[string]any{"pid": os.Getpid(), "invocation": invocations, "version": filepath.Base(os.Args[0])}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the source ran dry") }
