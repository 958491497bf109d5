//go:build unix

package lambda

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// parentEnv makes the test's executable a program that uses a pool, so that a test
// can kill it. Its value is the function's executable.
const parentEnv = "LAMBDA_TEST_PARENT"

// beParent has an idle process, one that hangs in its handler and one with a
// child; prints their ids, the child's last, as a JSON array; and waits to be
// killed.
func beParent() {
	hanging := make(chan struct{}, 1)
	fn := declared(function, nil)
	fn.Executable = os.Getenv(parentEnv)
	p, err := NewPool(fn, Options{Log: func(l Line) {
		if l.Text == "hanging" {
			hanging <- struct{}{}
		}
	}})
	if err != nil {
		panic(err)
	}
	var pids []int
	take := func(event string) int {
		if err := p.admit(); err != nil {
			panic(err)
		}
		s, err := p.place()
		if err != nil {
			panic(err)
		}
		r, err := p.serve(newInvocation([]byte(event)), s)
		p.invocations.Done()
		if err != nil || r.FunctionError != "" {
			panic(fmt.Sprintf("%v %s", err, r.Payload))
		}
		var child int
		json.Unmarshal(r.Payload, &child)
		return child
	}
	take(`{"do":"who"}`)
	go take(`{"do":"hang"}`)
	<-hanging
	child := take(`{"do":"child"}`) // a process of its own: the other one hangs

	p.mu.Lock()
	for s := range p.alive {
		pids = append(pids, s.cmd.Process.Pid)
	}
	p.mu.Unlock()
	json.NewEncoder(os.Stdout).Encode(append(pids, child))
	time.Sleep(time.Hour)
}
