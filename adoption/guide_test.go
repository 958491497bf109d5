package adoption

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// document is a page of the documentation whose code and commands a walk uses.
type document string

// guide is the page about a table.
var guide = read("../docs/dynamodb.md")

func read(name string) document {
	content, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return document(content)
}

// block is code of a page, after the line that names its file: `handlers/a/main.go`, a new file:
var block = regexp.MustCompile("(?ms)^(?:`([^`\n]+)`, [^\n]+:\n\n)?```\\w+\n(.*?)^```$")

// file is the code that a page gives for a file.
func (d document) file(name string) string {
	for _, found := range block.FindAllStringSubmatch(string(d), -1) {
		if found[1] == name {
			return found[2]
		}
	}
	panic("expected the page to have code for " + name)
}

// command is the block that begins with a text.
func (d document) command(start string) string {
	for _, found := range block.FindAllStringSubmatch(string(d), -1) {
		if found[1] == "" && strings.HasPrefix(found[2], start) {
			return found[2]
		}
	}
	panic("expected the page to have a command that begins with " + start)
}

// documented is where the page has the server.
const documented = "8000"

// serve runs the page's commands for the server and its table, on a free port, and
// returns the URL. The server is installed from a lock file in place of npx's newest.
func (d document) serve(t *testing.T, p project) string {
	t.Helper()
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--prefix", "testdata/dynamodb")
	if output, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v: install Node.js 18 or later\n%s", err, output)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	server := exec.Command("sh", "-c", strings.ReplaceAll(d.command("npx"), documented, port))
	server.Dir = "testdata/dynamodb"
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // npx starts node, which the signal below reaches
	reader, writer := io.Pipe()
	server.Stdout, server.Stderr = writer, writer
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-server.Process.Pid, syscall.SIGTERM)
		server.Wait()
		writer.Close()
	})
	for lines := bufio.NewScanner(reader); lines.Scan(); {
		if strings.Contains(lines.Text(), "listening") {
			break
		}
	}
	go io.Copy(io.Discard, reader)
	p.command(t, strings.ReplaceAll(d.command("dynamodb()"), documented, port))
	return "http://127.0.0.1:" + port
}
