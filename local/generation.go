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

// generation is one version of the stack. It is replaced as a whole when the declaration
// changes.
type generation struct {
	graph     *graph.Graph
	built     reload.Release // what its functions run
	functions functions
	gateway   *gateway.Gateway
	requests  sync.WaitGroup // in flight; added to only while this is the current generation
}

// generate starts a generation. With an error, nothing is left behind.
func (l *localStack) generate(g *graph.Graph, built reload.Release) (*generation, error) {
	f, err := l.startFunctions(g, built)
	if err != nil {
		return nil, err
	}
	next := &generation{graph: g, built: built, functions: f}
	next.gateway, err = gateway.New(g, gateway.Options{Functions: f, Report: l.report, Patient: l.settings.debug != ""})
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	return next, nil
}

// switchboard hands each request to the current generation. A former generation ends when
// the last of its requests is answered.
type switchboard struct {
	mu       sync.RWMutex
	current  *generation
	retired  map[*generation]bool // with requests that are not answered yet
	failures []error              // of ending a retired one
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

// close ends every process, busy or not. Nothing may be replaced afterwards.
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
