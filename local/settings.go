package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// settings are what the command line says.
type settings struct {
	root        string
	stack       string
	port        int
	issuerPort  int
	consolePort int
	issuer      string   // "local", or "stack" for the one that the stack file names
	scopes      string   // that the local issuer grants, with spaces between; "" does not restrict it
	capture     string   // package of the program that records the declaration
	policy      string   // package of the program that finds example callers
	api         string   // the REST API to serve, by name; "" for the only one
	outputs     string   // file of a deployed stack's outputs; "" makes them up
	config      []string // key=value that replace those of the stack file
	aws         string   // what handlers reach: an AWS profile, or the URL of a server on this machine
	debug       string   // the function for a debugger, by the last name of its directory, or ""
	verbose     bool
}

// port is a port of the API, the issuer or the console.
type port struct {
	variable string // that make run has for it
	usual    int
	text     string
	number   *int
}

// readSettings reads the command line. Its error has a line for each setting that is wrong, by
// the name of make run's variable. A request for help is answered to out.
func readSettings(arguments []string, out io.Writer) (settings, error) {
	s := settings{}
	ports := []port{{"PORT", 8080, "", &s.port}, {"ISSUER_PORT", 8081, "", &s.issuerPort}, {"CONSOLE_PORT", 8082, "", &s.consolePort}}
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&s.root, "root", ".", "the project, the directory of Pulumi.yaml")
	flags.StringVar(&s.stack, "stack", "dev", "the stack: its configuration is Pulumi.<stack>.yaml")
	for i, usage := range []string{"port of the API on 127.0.0.1", "port of the local token issuer", "port of the web console on 127.0.0.1"} {
		name := strings.ToLower(strings.ReplaceAll(ports[i].variable, "_", "-"))
		flags.StringVar(&ports[i].text, name, strconv.Itoa(ports[i].usual), usage+"; 0 picks a free one")
	}
	flags.StringVar(&s.issuer, "issuer", "local", `whose tokens are accepted: "local" for a token issuer on this machine, "stack" for the stack's own`)
	flags.StringVar(&s.scopes, "scopes", "", "the only scopes that the local issuer grants, with spaces between; empty means any")
	flags.StringVar(&s.capture, "capture", "./local/capture", "package, relative to the project, of the program that records what the Pulumi program declares")
	flags.StringVar(&s.policy, "policy", "./local/policy", "package, relative to the project, of the program that finds example callers of the policies; built if it is there")
	flags.StringVar(&s.api, "api", "", "which REST API to serve, by its name in the program; empty for the only one")
	flags.StringVar(&s.outputs, "outputs", "", "a file that pulumi stack export has written: resources that are not run here have the outputs that they have there")
	flags.Func("config", "replace a value of the stack file, as key=value; may be repeated", func(assignment string) error {
		if !strings.Contains(assignment, "=") {
			return fmt.Errorf("expected key=value, got %q", assignment)
		}
		s.config = append(s.config, assignment)
		return nil
	})
	flags.StringVar(&s.aws, "aws", "", "what handlers reach: the name of an AWS profile, with -issuer stack, or the URL of a server on this machine, such as http://127.0.0.1:8000")
	flags.StringVar(&s.debug, "debug", "", "a function, by the last name of its directory, that runs in one process without a time limit, built for a debugger")
	flags.BoolVar(&s.verbose, "v", false, "explain every step of each request, and show what the functions log")
	if err := flags.Parse(arguments); errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(out)
		flags.PrintDefaults()
		return s, err
	} else if err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("expected flags only, got %q", flags.Args())
	}
	return s, errors.Join(readPorts(ports, s.issuer == "local"), s.checkIssuer(), s.checkStack(), s.checkOutputs(), s.checkAWS())
}

// readPorts reads the ports. Without a local issuer its port is not used.
func readPorts(ports []port, hasIssuer bool) error {
	var wrong []error
	taken := map[int]string{}
	for _, p := range ports {
		if p.variable == "ISSUER_PORT" && !hasIssuer {
			continue
		}
		number, err := strconv.Atoi(p.text)
		if err != nil || number < 0 || number > math.MaxUint16 {
			got := p.text
			if got == "" {
				got = "nothing"
			}
			wrong = append(wrong, fmt.Errorf("%s: expected a port from 0 to %d, got %s: make run %s=%d, or 0 for a free one", p.variable, math.MaxUint16, got, p.variable, p.usual))
			continue
		}
		if other := taken[number]; other != "" && number != 0 {
			wrong = append(wrong, fmt.Errorf("%s: expected another port than %s has, got %d for both: make run %s=%d, or 0 for a free one", p.variable, other, number, p.variable, another(number)))
		}
		*p.number, taken[number] = number, p.variable
	}
	return errors.Join(wrong...)
}

// another is a port to try instead.
func another(port int) int {
	const step = 100
	if port+step > math.MaxUint16 {
		return port - step
	}
	return port + step
}

func (s settings) checkIssuer() error {
	if s.issuer == "local" || s.issuer == "stack" {
		return nil
	}
	return fmt.Errorf(`ISSUER: expected "local" or "stack", got %q: make run ISSUER=local for an issuer on this machine, ISSUER=stack for the stack file's`, s.issuer)
}

// checkStack finds before the build what would fail after it.
func (s settings) checkStack() error {
	if _, err := os.Stat(filepath.Join(s.root, "Pulumi.yaml")); err != nil {
		return fmt.Errorf("expected the project's file Pulumi.yaml: %w: run make in the project's directory", err)
	}
	file := "Pulumi." + s.stack + ".yaml"
	if _, err := os.Stat(filepath.Join(s.root, file)); err == nil {
		return nil
	}
	there, _ := filepath.Glob(filepath.Join(s.root, "Pulumi.*.yaml")) // the pattern is well-formed
	if len(there) == 0 {
		return fmt.Errorf("STACK: stack %q has no file %s, and there is no other stack: write it with the settings that Pulumi.yaml describes", s.stack, file)
	}
	for i := range there {
		there[i] = strings.TrimSuffix(strings.TrimPrefix(filepath.Base(there[i]), "Pulumi."), ".yaml")
	}
	return fmt.Errorf("STACK: stack %q has no file %s; there are stacks %s: make run STACK=%s", s.stack, file, strings.Join(there, ", "), there[0])
}

// checkOutputs looks for the file only: what records the declaration reads it.
func (s settings) checkOutputs() error {
	if s.outputs == "" {
		return nil
	}
	if info, err := os.Stat(s.outputs); err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("OUTPUTS: expected a file that pulumi stack export has written, got %q, which is none: pulumi stack export --stack %s --file %s", s.outputs, s.stack, s.outputs)
	}
	return nil
}

// checkAWS checks the text only. A profile's credentials are read at the start.
func (s settings) checkAWS() error {
	if s.issuer == "stack" && !strings.Contains(s.aws, "://") {
		return nil
	}
	_, err := reach(context.Background(), s.aws, s.issuer)
	return err
}
