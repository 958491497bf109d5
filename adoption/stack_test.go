package adoption

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startTime is far more than a start takes after the first one on a machine, which
// compiles the Pulumi SDK.
const startTime = 15 * time.Minute

// stack is a stack that make run serves.
type stack struct {
	t           *testing.T
	api, issuer string
	commands    []string // that make run prints for pasting

	mu     sync.Mutex
	output bytes.Buffer
}

// run starts make run with further settings, and returns once it has said where the API
// is. The test ends it.
func (p project) run(t *testing.T, name string, settings ...string) *stack {
	t.Helper()
	s := &stack{t: t}
	cmd := exec.Command("make", append([]string{"--no-print-directory", "run", "STACK=" + name, "PORT=0", "ISSUER_PORT=0", "CONSOLE_PORT=0"}, settings...)...)
	cmd.Dir = p.directory
	cmd.Env = adopter()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the signal below reaches what make has started
	reader, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		writer.Close()
	}()
	go s.read(reader, sync.OnceFunc(func() { close(ready) }))
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) // as Ctrl-C does
		select {
		case <-ended:
		case <-time.After(time.Minute):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			t.Error("make run does not end on Ctrl-C")
		}
		if t.Failed() {
			t.Logf("make run said:\n%s", s.said())
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("make run ended (%v) instead of serving:\n%s", err, s.said())
	case <-time.After(startTime):
		t.Fatalf("make run does not serve:\n%s", s.said())
	}
	return s
}

var (
	address = regexp.MustCompile(`^  (API|issuer) +(http://\S+)`)
	pasted  = regexp.MustCompile(`^  ((?:\w+=\$\()?curl .*)`) // a command, or a token for a variable
)

// read follows what make run prints. It is up when it has printed how to rotate keys,
// which is the last of its commands.
func (s *stack) read(from io.Reader, ready func()) {
	for lines := bufio.NewScanner(from); lines.Scan(); {
		line := lines.Text()
		s.mu.Lock()
		s.output.WriteString(line + "\n")
		if found := address.FindStringSubmatch(line); found != nil {
			switch {
			case found[1] == "issuer":
				s.issuer = found[2]
			case s.api == "":
				s.api = found[2]
			}
		}
		if found := pasted.FindStringSubmatch(line); found != nil {
			s.commands = append(s.commands, found[1])
			if strings.HasSuffix(line, "/rotate") {
				ready()
			}
		}
		s.mu.Unlock()
	}
}

func (s *stack) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.output.String()
}

// token asks the issuer for a token, with the API's audience and further fields.
func (s *stack) token(audience string, fields map[string]string) string {
	s.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"local-client"}, "client_secret": {"local-secret"}, "audience": {audience}}
	for name, value := range fields {
		form.Set(name, value)
	}
	response, err := http.PostForm(s.issuer+"oauth/token", form)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	content, err := io.ReadAll(response.Body)
	if err != nil || json.Unmarshal(content, &granted) != nil || granted.AccessToken == "" {
		s.t.Fatalf("expected the issuer to grant %v for %s, got status %d", fields, audience, response.StatusCode)
	}
	return granted.AccessToken
}

// documented is a command as a document shows it, with the ports that are chosen by default.
func (s *stack) documented(command string) string {
	host := func(address string) string {
		u, err := url.Parse(address)
		if err != nil {
			s.t.Fatal(err)
		}
		return u.Host
	}
	return strings.NewReplacer(host(s.api), "127.0.0.1:8080", host(s.issuer), "127.0.0.1:8081").Replace(command)
}

// request is one that an adopter makes, and the answer that has to come.
type request struct {
	method, path string            // the path is below the stage: "profile"
	caller       map[string]string // the fields of the token request; nil for no token
	status       int
	body         string // the whole of it
}

func (s *stack) send(r request, audience string) {
	s.t.Helper()
	ask, err := http.NewRequest(r.method, s.stage()+r.path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if r.caller != nil {
		ask.Header.Set("Authorization", "Bearer "+s.token(audience, r.caller))
	}
	response, err := http.DefaultClient.Do(ask)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if response.StatusCode != r.status || string(content) != r.body {
		s.t.Errorf("%s %s as %v: expected %d %s, got %d %s", r.method, r.path, r.caller, r.status, r.body, response.StatusCode, content)
	}
}

// stage is the URL of the stage, with its slash.
func (s *stack) stage() string {
	u, err := url.Parse(s.api)
	if err != nil {
		s.t.Fatal(err)
	}
	stage, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return u.Scheme + "://" + u.Host + "/" + stage + "/"
}

// statusLine follows the body before, which ends without a line break.
var statusLine = regexp.MustCompile(`HTTP/1\.1 (\d{3}) `)

// paste runs what make run prints, in one shell, and returns the status of each answer.
func (s *stack) paste() []string {
	s.t.Helper()
	var script strings.Builder
	for _, command := range s.commands {
		if !strings.Contains(command, " -s ") {
			command = strings.Replace(command, "curl ", "curl -si ", 1) // with the status
		}
		script.WriteString(command + "\n")
	}
	output, err := exec.Command("sh", "-e", "-c", script.String()).Output()
	if err != nil {
		s.t.Fatalf("a printed command fails: %v\n%s", err, output)
	}
	var statuses []string
	for _, found := range statusLine.FindAllSubmatch(output, -1) {
		statuses = append(statuses, string(found[1]))
	}
	return statuses
}
