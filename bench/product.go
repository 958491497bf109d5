package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"account-api/bench/function"
	"account-api/internal/caller"
	"account-api/internal/decision"
	"account-api/local/build"
	"account-api/local/example"
	"account-api/local/gateway"
	"account-api/local/gateway/declaration"
	"account-api/local/graph"
	"account-api/local/lambda"
	"account-api/policies"
)

// audience is the one that the measured stack is configured with.
const audience = "https://bench.test/"

// product is this project's stack on this machine, as it is declared: its executables with
// their environments, and the events that its gateway sends them.
type product struct {
	hello, helloOne      function.Executable // hello-world, and the same on one processor
	authorizer, endpoint deployed
	provider             *provider

	gateway *httptest.Server
	request request
	status  int                     // of its answer
	pools   map[string]*lambda.Pool // by ARN

	mu     sync.Mutex
	events map[string][]byte // the first event of each function, by ARN
}

// deployed is a function of the stack.
type deployed struct {
	function.Executable
	name    string // last part of handler
	handler string // directory of the main package
	arn     string
	event   []byte
}

// ready returns the product. It builds it first, unless another figure did.
func (b *bench) ready() (*product, error) {
	if b.product != nil {
		return b.product, nil
	}
	b.say("    building the stack")
	p := &product{pools: map[string]*lambda.Pool{}, events: map[string][]byte{}}
	b.product = p // to be closed, also after an error
	var err error
	if p.provider, err = newProvider(); err != nil {
		return nil, err
	}
	hello, err := b.buildFunction("bench", "peers/hello")
	if err != nil {
		return nil, err
	}
	p.hello = function.Executable{Path: hello}
	p.helloOne = function.Executable{Path: hello, Env: []string{"GOMAXPROCS=1"}}
	declared, err := b.capture(p.provider.server.URL + "/")
	if err != nil {
		return nil, err
	}
	return p, p.start(b, declared)
}

// flags build an executable for this machine as handlers are built for Lambda.
var flags = []string{"-tags=lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid="}

func (b *bench) buildFunction(module, source string) (string, error) {
	executable := filepath.Join(b.directory, module, source)
	if err := os.MkdirAll(filepath.Dir(executable), 0o755); err != nil {
		return "", err
	}
	arguments := append([]string{"build", "-C", module, "-o", executable + ".linked"}, flags...)
	if _, err := b.goCommand(append(arguments, "./"+source)...); err != nil {
		return "", err
	}
	return executable, unpack(executable+".linked", executable)
}

// unpack copies an executable as a program that unpacks an archive writes it: from start to
// end. The linker writes through a memory map. That changes how the system caches the file:
// the cost of a start and resident memory differ by up to a fifth.
func unpack(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(content, 32<<10) {
		if _, err := file.Write(part); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	return file.Close()
}

// capture runs the Pulumi program with our provider in its settings.
func (b *bench) capture(issuer string) (*graph.Graph, error) {
	// As the local run builds it, so that what it compiled is used.
	if err := build.Packages(b.ctx, build.Options{Root: ".", Out: b.directory}, build.Tools("./local/capture")); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(b.ctx, filepath.Join(b.directory, "capture"),
		"-config", "issuer="+issuer, "-config", "jwksUri=", "-config", "audience="+audience)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	declared, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("capture the stack: %w\n%s", err, &complaints)
	}
	return graph.Read(bytes.NewReader(declared))
}

// start builds the stack's functions, serves them, and sends one request, so that all
// events are known.
func (p *product) start(b *bench, declared *graph.Graph) error {
	api, err := declaration.Read(declared)
	if err != nil {
		return err
	}
	method, err := firstEndpoint(api)
	if err != nil {
		return err
	}
	for _, resource := range declared.OfType("aws:lambda/function:Function") {
		arn := resource.Target(declared.Targets()).ARN
		f := deployed{arn: arn}
		f.handler = declared.Bundles[fmt.Sprint(member(resource.Inputs["code"], "path"))]
		f.name = path.Base(f.handler)
		if f.Path, err = b.buildFunction(".", f.handler); err != nil {
			return err
		}
		environment := resource.Environment()
		for name, value := range environment {
			f.Env = append(f.Env, name+"="+value)
		}
		p.pools[arn], err = lambda.NewPool(lambda.Function{
			Name: resource.String("name"), ARN: arn, Region: declared.Region, Executable: f.Path, Environment: environment,
		}, lambda.Options{})
		if err != nil {
			return err
		}
		switch arn {
		case method.Authorizer.Function.ARN:
			p.authorizer = f
		case method.Integration.Function.ARN:
			p.endpoint = f
		}
	}
	served, err := gateway.New(declared, gateway.Options{Functions: p})
	if err != nil {
		return err
	}
	p.gateway = httptest.NewServer(served)
	if p.request, err = p.allowed(b.ctx, api, method); err != nil {
		return err
	}
	c, err := p.request.dial()
	if err != nil {
		return err
	}
	defer c.connection.Close()
	if p.status, err = c.send(); err != nil {
		return err
	}
	p.authorizer.event, p.endpoint.event = p.events[p.authorizer.arn], p.events[p.endpoint.arn]
	if p.endpoint.event == nil || p.status >= http.StatusInternalServerError {
		return fmt.Errorf("expected the local gateway to answer with %s, got status %d", p.endpoint.handler, p.status)
	}
	return nil
}

func member(object any, name string) any {
	members, _ := object.(map[string]any)
	return members[name]
}

// firstEndpoint is the method with the shortest path that an authorizer guards and a function
// answers.
func firstEndpoint(api *declaration.API) (*declaration.Method, error) {
	methods := slices.DeleteFunc(slices.Clone(api.Methods), func(m *declaration.Method) bool {
		return m.Authorizer == nil || m.Integration.Function == nil
	})
	if len(methods) == 0 {
		return nil, errors.New("expected a method with an authorizer and a function, the stack has none")
	}
	return slices.MinFunc(methods, func(a, b *declaration.Method) int {
		return cmp.Or(len(a.Path)-len(b.Path), strings.Compare(a.Path+a.Verb, b.Path+b.Verb))
	}), nil
}

var parameter = regexp.MustCompile(`\{[^/{}]*\}`)

// allowed makes the request of a caller whom the endpoint's policy allows, or else denies.
func (p *product) allowed(ctx context.Context, api *declaration.API, m *declaration.Method) (r request, err error) {
	prepared, err := decision.Prepare(ctx, policies.For(p.endpoint.name), p.endpoint.name+"/decision")
	if err != nil {
		return r, err
	}
	found, err := caller.Find(ctx, prepared)
	if err != nil {
		return r, err
	}
	input := cmp.Or(found.Allowed, found.Denied)
	token, err := p.provider.issuer.Token(example.Caller{
		Principal: input.Principal, Scope: input.Scope, Permissions: input.Permissions, AuthorizedParty: input.AuthorizedParty,
	}.Token())
	if err != nil {
		return r, err
	}
	verb := m.Verb
	if m.Answers(http.MethodGet) {
		verb = http.MethodGet // also of ANY
	}
	for stage := range api.Stages { // any will do
		return compose(verb, p.gateway.URL+"/"+stage+parameter.ReplaceAllLiteralString(m.Path, "example"), m.Authorizer.Header, token)
	}
	return r, errors.New("expected a stage of the API, got none")
}

// Invoke implements [gateway.Functions] and keeps each function's first event.
func (p *product) Invoke(ctx context.Context, arn string, event []byte) (lambda.Result, error) {
	p.mu.Lock()
	if p.events[arn] == nil {
		p.events[arn] = slices.Clone(event)
	}
	p.mu.Unlock()
	return p.pools[arn].Invoke(ctx, event)
}

func (p *product) close() {
	if p.gateway != nil {
		p.gateway.CloseClientConnections()
		p.gateway.Close()
	}
	for _, pool := range p.pools {
		_ = pool.Close() // its processes are killed
	}
	if p.provider != nil {
		p.provider.server.Close()
		p.provider.far.Close()
	}
}

// with is the executable with more in its environment.
func (f deployed) with(environment ...string) function.Executable {
	return function.Executable{Path: f.Path, Env: append(slices.Clone(f.Env), environment...)}
}
