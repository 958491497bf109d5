package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"account-api/local/description"
)

// writeCommands writes commands that call the first endpoint as different callers, each
// below a line that describes the caller. They paste as they are, into one shell.
func writeCommands(b *strings.Builder, s description.Stack) {
	e := s.Endpoint()
	if e.Header == "" {
		fmt.Fprintf(b, "No token is needed:\n\n  %s\n", curl(e, ""))
		return
	}
	fmt.Fprintf(b, "No token, 401:\n\n  %s\n", curl(e, ""))
	if s.Issuer == nil {
		writeForeign(b, s)
		return
	}
	call := func(what, variable string, form url.Values) {
		fmt.Fprintf(b, "\n%s:\n\n  %s=$(%s)\n  %s\n", what, variable, tokenCommand(s.IssuerURL, form), curl(e, variable))
	}
	if e.Denied != nil {
		call("A"+e.Denied.String()[1:]+", which "+e.Policy+" denies, 403", "DENIED", e.Denied.Form())
	}
	if e.Allowed != nil {
		call("A"+e.Allowed.String()[1:]+", which "+e.Policy+" allows", "ALLOWED", e.Allowed.Form())
	} else {
		if e.Problem != "" {
			fmt.Fprintf(b, "\n%s\n", e.Problem)
		}
		what := "A token"
		if len(s.Scopes) > 0 {
			what = "A token with every scope (" + strings.Join(s.Scopes, ", ") + ")"
		}
		call(what, "TOKEN", s.Caller().Form())
	}
	fmt.Fprintf(b, "\nNew keys, as after a rotation:\n\n  curl -s -X POST %srotate\n", s.IssuerURL)
}

// writeForeign writes the command for a token that is made elsewhere.
func writeForeign(b *strings.Builder, s description.Stack) {
	e := s.Endpoint()
	of := ""
	if s.Audience != "" {
		of = " of that issuer for " + s.Audience
	}
	fmt.Fprintf(b, "\nWith a token%s:\n\n  %s\n", of, curl(e, "TOKEN"))
	if e.Allowed != nil {
		fmt.Fprintf(b, "\n%s allows %s.\n", e.Policy, e.Allowed)
	} else if e.Problem != "" {
		fmt.Fprintf(b, "\n%s\n", e.Problem)
	}
}

// curl is the command that calls an endpoint, with the token of a variable if it is not "".
func curl(e description.Endpoint, variable string) string {
	command := "curl"
	if e.Method != http.MethodGet {
		command += " -X " + e.Method
	}
	if variable != "" {
		scheme := ""
		if strings.EqualFold(e.Header, "Authorization") {
			scheme = "Bearer "
		}
		command += ` -H "` + e.Header + ": " + scheme + "$" + variable + `"`
	}
	return command + " " + quoted(e.URL)
}

// tokenCommand is the command that prints a token of the local issuer.
func tokenCommand(issuerURL string, form url.Values) string {
	command := "curl -s " + issuerURL + "token"
	for _, name := range slices.Sorted(maps.Keys(form)) {
		value, how := form.Get(name), "-d"
		if strings.ContainsAny(value, " +&%") || strings.HasPrefix(value, "@") {
			how = "--data-urlencode"
		}
		command += " " + how + " " + quoted(name+"="+value)
	}
	return command
}

// quoted is a text as one word of a shell.
func quoted(text string) string {
	safe := strings.IndexFunc(text, func(r rune) bool {
		return !strings.ContainsRune("-_./:=,@%+", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
	if safe && text != "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
