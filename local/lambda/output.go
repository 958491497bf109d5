package lambda

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"sync"
	"time"
)

// maxLineBytes is the length at which a line is cut in two. Lambda cuts a log event at the
// same size.
const maxLineBytes = 256 << 10

// output reads what a process writes. Stdout and stderr are one pipe, which keeps lines in
// the order in which the process wrote them.
//
// All lines of an invocation must have been read when it completes. Completion is an HTTP
// request and lines are bytes in a pipe, so either may arrive first. So this process keeps
// the pipe's writing end and writes a mark into it on completion. The lines before the
// mark belong to the invocation.
type output struct {
	reader, writer *os.File
	mark           []byte        // a line that no process writes: 128 random bits
	marked         chan struct{} // the mark was read; holds one
	ended          chan struct{} // closed at the pipe's end

	mu   sync.Mutex
	live *recording // where lines go; nil between invocations
	line func(requestID, text string)
}

// recording is the log of one invocation: its newest lines up to maxLogTail.
type recording struct {
	requestID string
	lines     []string
	bytes     int
}

func (r *recording) add(text string) {
	r.lines = append(r.lines, text)
	r.bytes += len(text)
	for r.bytes > maxLogTail {
		r.bytes -= len(r.lines[0])
		r.lines = r.lines[1:]
	}
}

// newOutput opens the pipe. line is called for each line, one at a time, with the
// id of the invocation during which it was written.
func newOutput(line func(requestID, text string)) (*output, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o := &output{
		reader: reader,
		writer: writer,
		mark:   []byte(randomHex(16)),
		marked: make(chan struct{}, 1),
		ended:  make(chan struct{}),
		line:   line,
	}
	go o.read()
	return o, nil
}

// begin attributes lines to an invocation from now on.
func (o *output) begin(r *recording) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.live = r
}

// end returns when every line that was written until now is recorded, and stops
// attributing. At most one goroutine may call it at a time.
func (o *output) end() []string {
	// A newline first: the process may have left a line open. Up to PIPE_BUF, at
	// least 512 bytes, a write is not interleaved with others (POSIX, write).
	mark := append(append([]byte{'\n'}, o.mark...), '\n')
	if _, err := o.writer.Write(mark); err == nil {
		select {
		case <-o.marked:
		case <-o.ended:
		}
	} else {
		<-o.ended // the process has ended, and the pipe with it
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.live == nil {
		return nil
	}
	lines := o.live.lines
	o.live = nil
	return lines
}

// close ends the pipe after its process has ended. A descendant that left the
// process group may hold it open: grace is how long to wait for its last lines.
func (o *output) close(grace time.Duration) error {
	err := o.writer.Close()
	o.reader.SetReadDeadline(time.Now().Add(grace))
	<-o.ended
	return errors.Join(err, o.reader.Close())
}

func (o *output) read() {
	defer close(o.ended)
	in := bufio.NewReaderSize(o.reader, maxLineBytes)
	for {
		text, err := in.ReadSlice('\n')
		text = bytes.TrimSuffix(text, []byte{'\n'})
		switch {
		case bytes.Equal(text, o.mark):
			o.marked <- struct{}{}
		case len(text) > 0: // a log event has at least one character
			o.emit(string(text))
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

func (o *output) emit(text string) {
	o.mu.Lock()
	var requestID string
	if o.live != nil {
		requestID = o.live.requestID
		o.live.add(text)
	}
	o.mu.Unlock()
	o.line(requestID, text)
}
