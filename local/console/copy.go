package console

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/open-policy-agent/opa/v1/ast"

	"account-api/local/trace"
	"account-api/local/trial"
)

// serveCopy answers a request in a form to paste elsewhere.
func (c *Console) serveCopy(w http.ResponseWriter, r *http.Request) {
	e, err := c.find(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	var text string
	decided, found := e.Trace.Decision()
	switch as := r.FormValue("as"); {
	case as == "curl":
		text = curl(c.apiOrigin(), e.Trace.Request)
	case as != "eval" && as != "test":
		err = fmt.Errorf("expected as=curl, as=eval or as=test, got %q", as)
	case !found || e.asked().Entrypoint == "":
		err = fmt.Errorf("no policy decided request %d", e.Number)
	case as == "eval":
		text = evaluation(decided)
	default:
		text, err = regoTest(e, decided)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, text)
}

// curl is the command that sends a request again. $TOKEN stands for a value that the console
// does not keep.
func curl(origin string, m trace.Message) string {
	command := "curl -i"
	switch {
	case m.Method == http.MethodHead:
		command += " --head"
	case m.Method != http.MethodGet || len(m.Body) > 0:
		command += " -X " + quoted(m.Method)
	}
	header := again(m)
	for _, name := range slices.Sorted(maps.Keys(header)) {
		switch {
		case name == "User-Agent" || name == "Referer" || name == "Accept" && header.Get(name) == "*/*" || strings.HasPrefix(name, "Sec-") || strings.HasPrefix(name, "Accept-"):
			continue // what a browser adds
		}
		for _, value := range header[name] {
			command += " -H " + quoted(name+": "+value)
		}
	}
	for _, name := range m.Withheld {
		scheme := ""
		if name == "Authorization" {
			scheme = "Bearer "
		}
		command += ` -H "` + name + ": " + scheme + `$TOKEN"`
	}
	if len(m.Body) > 0 {
		command += " --data-binary " + quoted(string(m.Body))
	}
	return command + " --globoff --path-as-is " + quoted(origin+m.Target) + "\n"
}

// evaluation is the command that evaluates the policy for the recorded input.
func evaluation(d trace.Decision) string {
	return "go tool opa eval --data policies --stdin-input --format pretty " + quoted(reference(d.Path).String()) + " <<'INPUT'\n" + indented(d.Input) + "\nINPUT\n"
}

// reference is data and the path of a rule: data.orders.decision.
func reference(entrypoint string) ast.Ref {
	ref := ast.Ref{ast.DefaultRootDocument}
	for part := range strings.SplitSeq(entrypoint, "/") {
		ref = append(ref, ast.StringTerm(part))
	}
	return ref
}

// regoTest is a Rego test that a request is decided as it was: a whole file, to be saved next
// to the policy. The name of the test says what the request was.
func regoTest(e entry, d trace.Decision) (string, error) {
	if d.Result == nil {
		return "", fmt.Errorf("request %d has no decision to expect: %s", e.Number, d.Error)
	}
	policy, _, _ := strings.Cut(d.Path, "/")
	var b strings.Builder
	verdict, reasons := "denied", []string{}
	if d.Result.Allow {
		verdict = "allowed"
	}
	for _, reason := range d.Result.Reasons {
		reasons = append(reasons, ast.String(reason).String())
	}
	set := "set()"
	if len(reasons) > 0 {
		set = "{" + strings.Join(reasons, ", ") + "}"
	}
	fmt.Fprintf(&b, "package %s\n\n# Recorded at %s: %s.\n", testPackage(policy), e.Time.Format("2006-01-02 15:04:05"), oneLine(e.Method+" "+e.Path))
	fmt.Fprintf(&b, "test_%s_is_%s_%d if {\n", identifier(e.Method+" "+e.Path), verdict, e.Number)
	fmt.Fprintf(&b, "\tdecision := %s with input as %s\n", reference(d.Path), indented(d.Input))
	fmt.Fprintf(&b, "\tdecision.allow == %t\n\t{reason | some reason in decision.reasons} == %s\n}\n", d.Result.Allow, set)
	text := b.String()
	if _, err := ast.ParseModule("", text); err != nil {
		return "", fmt.Errorf("write request %d as a test: %w", e.Number, err)
	}
	return trial.Format(text), nil
}

// testPackage is the package of a policy's tests: orders_test.
func testPackage(policy string) string { return identifier(policy) + "_test" }

// identifier is a text as a part of a name in Rego.
func identifier(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return strings.Join(words, "_")
}

// oneLine is a text that ends no comment.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// quoted is a text as one word of a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// object is JSON for an attribute of the page.
func object(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return "{}" // it came from JSON
	}
	return string(text)
}
