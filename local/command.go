package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"account-api/local/console"
	"account-api/local/example"
	"account-api/local/issuer"
)

// writeCommands writes commands that call the first endpoint as different callers, each
// below a line that describes the caller. They paste as they are: their tokens are valid
// for this run only.
func writeCommands(b *strings.Builder, s console.Stack) error {
	e := s.Endpoint()
	if e.Header == "" {
		fmt.Fprintf(b, "No token is needed:\n\n  %s\n", curl(e, ""))
		return nil
	}
	fmt.Fprintf(b, "No token, 401:\n\n  %s\n", curl(e, ""))
	if s.Issuer == nil {
		writeForeign(b, s)
		return nil
	}
	for _, row := range []struct {
		caller  *example.Caller
		verdict string
	}{{e.Denied, "denies, 403"}, {e.Allowed, "allows"}} {
		if row.caller == nil {
			continue
		}
		token, err := s.Issuer.Token(row.caller.Token())
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "\nA%s, which %s %s:\n\n  %s\n", row.caller.String()[1:], e.Policy, row.verdict, curl(e, "'Authorization: Bearer "+token+"'"))
	}
	if e.Allowed == nil {
		if e.Problem != "" {
			fmt.Fprintf(b, "\n%s\n", e.Problem)
		}
		token, err := s.Issuer.Token(issuer.TokenRequest{})
		if err != nil {
			return err
		}
		what := "A token"
		if len(s.Scopes) > 0 {
			what = "A token with every scope (" + strings.Join(s.Scopes, ", ") + ")"
		}
		fmt.Fprintf(b, "\n%s:\n\n  %s\n", what, curl(e, "'Authorization: Bearer "+token+"'"))
	}
	fmt.Fprintf(b, "\nA new token, as a client gets one from Auth0:\n\n  %s\n", tokenCommand(s))
	fmt.Fprintf(b, "\nNew keys, as after a rotation:\n\n  curl -s -X POST %srotate\n", s.IssuerURL)
	return nil
}

// writeForeign writes the command for a token that is made elsewhere.
func writeForeign(b *strings.Builder, s console.Stack) {
	e := s.Endpoint()
	of := ""
	if s.Audience != "" {
		of = " of that issuer for " + s.Audience
	}
	scheme := ""
	if strings.EqualFold(e.Header, "Authorization") {
		scheme = "Bearer "
	}
	fmt.Fprintf(b, "\nWith a token%s:\n\n  %s\n", of, curl(e, `"`+e.Header+": "+scheme+`$TOKEN"`))
	if e.Allowed != nil {
		fmt.Fprintf(b, "\n%s allows %s.\n", e.Policy, e.Allowed)
	} else if e.Problem != "" {
		fmt.Fprintf(b, "\n%s\n", e.Problem)
	}
}

// curl is the command that calls an endpoint, with a header that is quoted already.
func curl(e console.Endpoint, header string) string {
	command := "curl -i"
	if e.Method != http.MethodGet {
		command += " -X " + e.Method
	}
	if header != "" {
		command += " -H " + header
	}
	return command + " " + quoted(e.URL)
}

// tokenCommand is the command that gets a token for the caller whom the policy allows, or
// one with every scope.
func tokenCommand(s console.Stack) string {
	command := fmt.Sprintf("curl -s %soauth/token -d grant_type=client_credentials -d client_id=%s -d client_secret=%s -d %s",
		s.IssuerURL, issuer.ClientID, issuer.ClientSecret, quoted("audience="+s.Audience))
	if allowed := s.Endpoint().Allowed; allowed != nil {
		form := allowed.Form()
		for _, name := range slices.Sorted(maps.Keys(form)) {
			command += " --data-urlencode " + quoted(name+"="+form.Get(name))
		}
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
