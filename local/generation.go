package main

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"

	"account-api/local/gateway"
	"account-api/local/graph"
	"account-api/local/reload"
)

// generation is one declaration of the stack, being served: it is replaced as a whole
// when the declaration changes.
type generation struct {
	graph     *graph.Graph
	built     reload.Release // what its functions run
	functions functions
	gateway   *gateway.Gateway
	requests  sync.WaitGroup // in flight; Add only while it is the current generation
}

// generate starts a generation, or leaves nothing behind.
func (l *localStack) generate(g *graph.Graph, built reload.Release) (*generation, error) {
	f, err := l.startFunctions(g, built)
	if err != nil {
		return nil, err
	}
	next := &generation{graph: g, built: built, functions: f}
	next.gateway, err = gateway.New(g, gateway.Options{Functions: f, Report: l.report})
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	return next, nil
}

// switchboard hands each request to the current generation. A request ends where it
// began: the one before lives until the last of its requests is answered.
type switchboard struct {
	mu       sync.RWMutex
	current  *generation
	retired  map[*generation]bool // whose requests are not all answered
	failures []error              // to end a retired one
	draining sync.WaitGroup
}

// now is the current generation, nil before the first one.
func (s *switchboard) now() *generation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.current
}

func (s *switchboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	g := s.current
	g.requests.Add(1)
	s.mu.RUnlock()
	defer g.requests.Done()
	g.gateway.ServeHTTP(w, r)
}

// replace makes next the current generation and ends the one before in the background.
func (s *switchboard) replace(next *generation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.current
	s.current = next
	if before == nil {
		return
	}
	if s.retired == nil {
		s.retired = map[*generation]bool{}
	}
	s.retired[before] = true
	s.draining.Go(func() {
		before.requests.Wait()
		err := before.functions.close()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.retired, before)
		if err != nil {
			s.failures = append(s.failures, err)
		}
	})
}

// close ends every process, with whatever it is doing. Nobody may replace any more.
func (s *switchboard) close() error {
	s.mu.RLock()
	open := slices.Collect(maps.Keys(s.retired))
	if s.current != nil {
		open = append(open, s.current)
	}
	s.mu.RUnlock()
	var errs []error
	for _, g := range open {
		errs = append(errs, g.functions.close())
	}
	s.draining.Wait()
	return errors.Join(append(errs, s.failures...)...)
}
