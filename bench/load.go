package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// numbersOfClients are how many ask at the same time.
var numbersOfClients = []int{1, 8, 32, 200}

// plural is a number of things.
func plural(number int, thing string) string {
	if number == 1 {
		return "1 " + thing
	}
	return fmt.Sprint(number, " ", thing, "s")
}

// request is a request of an authorized caller, as bytes of HTTP.
type request struct {
	host string
	text []byte
}

func compose(method, address, header, token string) (request, error) {
	u, err := url.Parse(address)
	if err != nil {
		return request{}, err
	}
	return request{u.Host, fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\n%s: Bearer %s\r\n\r\n",
		method, u.RequestURI(), u.Host, header, token)}, nil
}

// crowd is what many clients saw that asked at the same time.
type crowd struct {
	statuses map[int]int
	answers  int
	took     time.Duration
}

// perSecond is the number of answers in a second.
func (c crowd) perSecond() float64 { return float64(c.answers) / c.took.Seconds() }

// faults are the answers that are server errors.
func (c crowd) faults() (faults int) {
	for status, count := range c.statuses {
		if status >= http.StatusInternalServerError {
			faults += count
		}
	}
	return faults
}

// flood lets clients ask until they have sent the number of requests and the time is over.
// Each asks once at least.
func flood(r request, clients, requests int, atLeast time.Duration) (crowd, error) {
	var (
		mu    sync.Mutex
		wait  sync.WaitGroup
		fault error
		sent  int
		all   = crowd{statuses: map[int]int{}}
		start = time.Now()
	)
	more := func() bool {
		mu.Lock()
		defer mu.Unlock()
		sent++
		return fault == nil && (sent <= max(clients, requests) || time.Since(start) < atLeast)
	}
	for range clients {
		wait.Go(func() {
			c, err := r.dial()
			if err == nil {
				defer c.connection.Close()
			}
			for err == nil && more() {
				var status int
				if status, err = c.send(); err == nil {
					mu.Lock()
					all.statuses[status]++
					all.answers++
					mu.Unlock()
				}
			}
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				fault = errors.Join(fault, err)
			}
		})
	}
	wait.Wait()
	all.took = time.Since(start)
	return all, fault
}

// client is a client on a connection that it keeps. It does no more than HTTP/1.1 takes:
// net/http's passes each request and each answer from one goroutine to another.
type client struct {
	connection net.Conn
	request    []byte
	answers    *bufio.Reader
}

func (r request) dial() (*client, error) {
	connection, err := net.Dial("tcp", r.host)
	if err != nil {
		return nil, err
	}
	return &client{connection, r.text, bufio.NewReader(connection)}, nil
}

// send sends the request and returns the status of the answer.
func (c *client) send() (status int, err error) {
	if _, err := c.connection.Write(c.request); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}
