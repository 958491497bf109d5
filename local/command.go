package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"account-api/local/description"
	"account-api/local/example"
)

// writeCommands writes commands that call the first endpoint as different callers, each
// below a line that describes the caller. They paste as they are, into one shell.
func writeCommands(b *strings.Builder, s description.Stack) {
	e := s.Endpoint()
	b.WriteString(strings.Join(calls(s, e), "\n"))
	if e.Header != "" && s.Issuer != nil {
		fmt.Fprintf(b, "\nNew keys, as after a rotation:\n\n  curl -s -X POST %srotate\n", s.IssuerURL)
	}
}

// writeChanges writes the endpoints that are new in after, and the commands that are new. It
// writes nothing if there are none.
func writeChanges(b *strings.Builder, before, after description.Stack) {
	shown := map[string]bool{}
	for _, e := range before.Endpoints {
		for _, call := range calls(before, e) {
			shown[call] = true
		}
	}
	var parts []string
	for _, e := range after.Endpoints {
		known := slices.ContainsFunc(before.Endpoints, func(o description.Endpoint) bool { return o.Method == e.Method && o.URL == e.URL })
		fresh := slices.DeleteFunc(calls(after, e), func(call string) bool { return shown[call] })
		switch {
		case !known:
			parts = append(parts, fmt.Sprintf("New endpoint: %s %s\n", e.Method, e.URL))
		case len(fresh) > 0:
			parts = append(parts, fmt.Sprintf("New commands for %s %s:\n", e.Method, e.URL))
		}
		parts = append(parts, fresh...)
	}
	b.WriteString(strings.Join(parts, "\n"))
}

// calls are commands that call an endpoint as different callers. Each ends with a newline.
func calls(s description.Stack, e description.Endpoint) []string {
	if e.Header == "" {
		return []string{fmt.Sprintf("No token is needed:\n\n  %s\n", curl(e, ""))}
	}
	all := []string{fmt.Sprintf("No token, 401:\n\n  %s\n", curl(e, ""))}
	if s.Issuer == nil {
		return append(all, foreignCalls(s, e)...)
	}
	call := func(what, variable string, form url.Values) {
		all = append(all, fmt.Sprintf("%s:\n\n  %s=$(%s)\n  %s\n", what, variable, tokenCommand(s.IssuerURL, form), curl(e, variable)))
	}
	if e.Denied != nil {
		call("A"+e.Denied.String()[1:]+", which "+e.Policy+" denies, 403", "DENIED", e.Denied.Form())
	}
	if e.Allowed != nil {
		call("A"+e.Allowed.String()[1:]+", which "+e.Policy+" allows", "ALLOWED", e.Allowed.Form())
		return all
	}
	if e.Problem != "" {
		all = append(all, e.Problem+"\n")
	}
	what := "A token"
	if len(s.Scopes) > 0 {
		what = "A token with every scope (" + strings.Join(s.Scopes, ", ") + ")"
	}
	call(what, "TOKEN", example.Caller{Scope: strings.Join(s.Scopes, " ")}.Form())
	return all
}

// foreignCalls are the commands for a token that is made elsewhere.
func foreignCalls(s description.Stack, e description.Endpoint) []string {
	of := ""
	if s.Audience != "" {
		of = " of that issuer for " + s.Audience
	}
	all := []string{fmt.Sprintf("With a token%s:\n\n  %s\n", of, curl(e, "TOKEN"))}
	if e.Allowed != nil {
		all = append(all, fmt.Sprintf("%s allows %s.\n", e.Policy, e.Allowed))
	} else if e.Problem != "" {
		all = append(all, e.Problem+"\n")
	}
	return all
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
