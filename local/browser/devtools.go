package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// errGone is a browser that ended.
var errGone = errors.New("the browser is gone")

// message is a command, its answer or an event. On the pipe each ends with a NUL.
type message struct {
	ID      int64           `json:"id,omitempty"` // 0 for an event
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  any             `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// devtools is a connection. Its methods may be called from any number of goroutines.
type devtools struct {
	in  io.ReadCloser
	out io.WriteCloser

	mu      sync.Mutex
	last    int64
	waiting map[int64]chan message
	ended   chan struct{} // closed when nothing more will be read
}

func newDevtools(in io.ReadCloser, out io.WriteCloser) *devtools {
	d := &devtools{in: in, out: out, waiting: map[int64]chan message{}, ended: make(chan struct{})}
	go d.read()
	return d
}

// read hands answers to whoever waits for them. Events are dropped: what tests wait
// for is in the page.
func (d *devtools) read() {
	defer close(d.ended)
	for r := bufio.NewReader(d.in); ; {
		line, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(line[:len(line)-1], &m) != nil {
			return // not the protocol: nothing after it can be trusted
		}
		d.mu.Lock()
		answer := d.waiting[m.ID]
		delete(d.waiting, m.ID)
		d.mu.Unlock()
		if answer != nil {
			answer <- m // has room for it
		}
	}
}

// call sends a command to a session ("" is the browser) and decodes its result into
// result, unless that is nil.
func (d *devtools) call(ctx context.Context, session, method string, params, result any) error {
	answer := make(chan message, 1)
	d.mu.Lock()
	d.last++
	id := d.last
	d.waiting[id] = answer
	command, err := json.Marshal(message{ID: id, Session: session, Method: method, Params: params})
	if err == nil {
		_, err = d.out.Write(append(command, 0))
	}
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.waiting, id)
	}()
	if err != nil {
		return fmt.Errorf("browser: %s: %w: %w", method, errGone, err)
	}
	select {
	case m := <-answer:
		if m.Error != nil {
			return fmt.Errorf("browser: %s: %s", method, m.Error.Message)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(m.Result, result)
	case <-d.ended:
		return fmt.Errorf("browser: %s: %w", method, errGone)
	case <-ctx.Done():
		return fmt.Errorf("browser: %s: %w", method, ctx.Err())
	}
}

func (d *devtools) close() {
	d.out.Close() // the browser has read all it ever will
	d.in.Close()
	<-d.ended
}
