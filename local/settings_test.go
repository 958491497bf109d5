package main

import (
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"account-api/local/running"
)

func TestSettingsThatAreWrongAreNamed(t *testing.T) {
	root := t.TempDir()
	for _, file := range []string{"Pulumi.yaml", "Pulumi.matinee.yaml", "Pulumi.premiere.yaml", "outputs.json"} {
		running.Write(t, filepath.Join(root, file), "{}\n")
	}
	for name, row := range map[string]struct {
		arguments []string
		want      []string // the whole error
	}{
		"a port that is no number":              {[]string{"-port", "abc"}, []string{"PORT: expected a port from 0 to 65535, got abc: make run PORT=8080, or 0 for a free one"}},
		"a port that is none":                   {[]string{"-console-port", "70000"}, []string{"CONSOLE_PORT: expected a port from 0 to 65535, got 70000: make run CONSOLE_PORT=8082, or 0 for a free one"}},
		"a negative port":                       {[]string{"-port=-1"}, []string{"PORT: expected a port from 0 to 65535, got -1: make run PORT=8080, or 0 for a free one"}},
		"an empty port":                         {[]string{"-issuer-port", ""}, []string{"ISSUER_PORT: expected a port from 0 to 65535, got nothing: make run ISSUER_PORT=8081, or 0 for a free one"}},
		"all three ports":                       {[]string{"-port", "x", "-issuer-port", "y", "-console-port", "z"}, []string{"PORT: expected a port from 0 to 65535, got x: make run PORT=8080, or 0 for a free one", "ISSUER_PORT: expected a port from 0 to 65535, got y: make run ISSUER_PORT=8081, or 0 for a free one", "CONSOLE_PORT: expected a port from 0 to 65535, got z: make run CONSOLE_PORT=8082, or 0 for a free one"}},
		"two equal ports":                       {[]string{"-port", "8082"}, []string{"CONSOLE_PORT: expected another port than PORT has, got 8082 for both: make run CONSOLE_PORT=8182, or 0 for a free one"}},
		"the last port twice":                   {[]string{"-port", "65535", "-console-port", "65535"}, []string{"CONSOLE_PORT: expected another port than PORT has, got 65535 for both: make run CONSOLE_PORT=65435, or 0 for a free one"}},
		"free ports":                            {[]string{"-port", "0", "-issuer-port", "0", "-console-port", "0"}, nil},
		"the port of an issuer elsewhere":       {[]string{"-issuer", "stack", "-issuer-port", "8080"}, nil},
		"an issuer":                             {[]string{"-issuer", "foo"}, []string{`ISSUER: expected "local" or "stack", got "foo": make run ISSUER=local for an issuer on this machine, ISSUER=stack for the stack file's`}},
		"a stack":                               {[]string{"-stack", "nope"}, []string{`STACK: stack "nope" has no file Pulumi.nope.yaml; there are stacks matinee, premiere: make run STACK=matinee`}},
		"a file of outputs":                     {[]string{"-outputs", "missing.json"}, []string{`OUTPUTS: expected a file that pulumi stack export has written, got "missing.json", which is none: pulumi stack export --stack matinee --file missing.json`}},
		"a directory for outputs":               {[]string{"-outputs", root}, []string{`OUTPUTS: expected a file that pulumi stack export has written, got "` + root + `", which is none: pulumi stack export --stack matinee --file ` + root}},
		"outputs":                               {[]string{"-outputs", filepath.Join(root, "outputs.json")}, nil},
		"several at once":                       {[]string{"-port", "x", "-issuer", "foo", "-stack", "nope"}, []string{"PORT: expected a port from 0 to 65535, got x: make run PORT=8080, or 0 for a free one", `ISSUER: expected "local" or "stack", got "foo": make run ISSUER=local for an issuer on this machine, ISSUER=stack for the stack file's`, `STACK: stack "nope" has no file Pulumi.nope.yaml; there are stacks matinee, premiere: make run STACK=matinee`}},
		"what handlers reach, too":              {[]string{"-issuer", "foo", "-aws", "http://10.0.0.1"}, []string{`ISSUER: expected "local" or "stack", got "foo": make run ISSUER=local for an issuer on this machine, ISSUER=stack for the stack file's`, `AWS: expected the URL of a server on this machine, or the name of an AWS profile, got "http://10.0.0.1": make run AWS=http://127.0.0.1:8000`}},
		"a profile without the stack's issuer":  {[]string{"-aws", "matinee"}, []string{"AWS=matinee: expected ISSUER=stack with an AWS profile: the local issuer's secret is public, so any web page could get a token and use the profile's rights"}},
		"a profile, which is read at the start": {[]string{"-issuer", "stack", "-aws", "matinee"}, nil},
		"a value without its key":               {[]string{"-config", "maxAge"}, []string{`invalid value "maxAge" for flag -config: expected key=value, got "maxAge"`}},
		"what is no flag":                       {[]string{"PORT=1"}, []string{`expected flags only, got ["PORT=1"]`}},
	} {
		t.Run(name, func(t *testing.T) {
			var printed strings.Builder
			_, err := readSettings(append([]string{"-root", root, "-stack", "matinee"}, row.arguments...), &printed)
			if got := text(err); got != strings.Join(row.want, "\n") || printed.Len() > 0 {
				t.Errorf("expected\n%s\ngot\n%s\n%s", strings.Join(row.want, "\n"), got, printed.String())
			}
		})
	}

	t.Run("values", func(t *testing.T) {
		s, err := readSettings([]string{"-root", root, "-stack", "premiere", "-port", "1234", "-issuer-port", "0", "-config", "a=b", "-config", "c=", "-v"}, io.Discard)
		if err != nil || s.port != 1234 || s.issuerPort != 0 || s.consolePort != 8082 || s.issuer != "local" || !s.verbose || !slices.Equal(s.config, []string{"a=b", "c="}) {
			t.Errorf("got %+v, %v", s, err)
		}
	})
	t.Run("no project", func(t *testing.T) {
		if _, err := readSettings([]string{"-root", t.TempDir()}, io.Discard); !errors.Is(err, os.ErrNotExist) || !strings.HasSuffix(text(err), "run make in the project's directory") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no stack", func(t *testing.T) {
		empty := t.TempDir()
		running.Write(t, filepath.Join(empty, "Pulumi.yaml"), "name: opera\n")
		const want = `STACK: stack "dev" has no file Pulumi.dev.yaml, and there is no other stack: write it with the settings that Pulumi.yaml describes`
		if _, err := readSettings([]string{"-root", empty}, io.Discard); text(err) != want {
			t.Errorf("expected %s, got %v", want, err)
		}
	})
	t.Run("help", func(t *testing.T) {
		var printed strings.Builder
		if _, err := readSettings([]string{"-h"}, &printed); !errors.Is(err, flag.ErrHelp) || !strings.Contains(printed.String(), "-issuer-port") {
			t.Errorf("expected help, got %v, %s", err, printed.String())
		}
	})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAPortOfAnotherProcess(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	number := taken.Addr().(*net.TCPAddr).Port
	free, err := listen("PORT", number)
	if err == nil {
		free.Close()
	}
	want := "PORT: port " + strconv.Itoa(number) + " is taken: stop what uses it, or choose another with make run PORT=" + strconv.Itoa(another(number))
	if text(err) != want {
		t.Errorf("expected %s, got %v", want, err)
	}
}

func TestWhatHandlersCannotReach(t *testing.T) {
	const fix = ": make run AWS=http://127.0.0.1:8000"
	for aws, want := range map[string]string{
		"http://db.example:8000":    `got "http://db.example:8000"` + fix,
		"http://a:b@127.0.0.1":      `got "http://a:xxxxx@127.0.0.1"` + fix,
		"http://127.0.0.1:8000\x7f": "got a text that is no URL" + fix,
	} {
		if _, err := reach(t.Context(), aws, "local"); err == nil || !strings.HasPrefix(text(err), "AWS: expected the URL of a server on this machine, or the name of an AWS profile, ") || !strings.HasSuffix(text(err), want) {
			t.Errorf("%q: expected %s, got %v", aws, want, err)
		}
	}
}
