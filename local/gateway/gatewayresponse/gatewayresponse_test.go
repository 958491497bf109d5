package gatewayresponse_test

import (
	"strings"
	"testing"

	"account-api/local/gateway/gatewayresponse"
)

// name renders a reference as its own text.
func name(r gatewayresponse.Reference) string { return "$" + string(r.Source) + r.Name }

func TestParseTemplate(t *testing.T) {
	for _, tt := range []struct{ name, text, rendered string }{
		{"no reference", `{"a":1}`, `{"a":1}`},
		{"nothing", ``, ``},
		{"references side by side", `$context.stage$context.path`, `[context. stage][context. path]`},
		{"a reference ends at the first other character", `<$context.requestId>$stageVariables.a.b.`, `<[context. requestId]>[stageVariables. a.b].`},
		{"the authorizer's context", `$context.authorizer.team`, `[context.authorizer. team]`},
		{"parameters of the request", `$method.request.header.X-A $method.request.querystring.q $method.request.path.id`,
			`[method.request.header. X-A] [method.request.querystring. q] [method.request.path. id]`},
		{"what is no reference stays", `$context $input.body #if`, `$context $input.body #if`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			template, err := gatewayresponse.ParseTemplate(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			got := template.Render(func(r gatewayresponse.Reference) string { return "[" + string(r.Source) + " " + r.Name + "]" })
			if string(got) != tt.rendered {
				t.Errorf("got %s, want %s", got, tt.rendered)
			}
		})
	}
	if _, err := gatewayresponse.ParseTemplate("$context.error.nothing"); err == nil || !strings.Contains(err.Error(), "$context.error.nothing is not modelled") {
		t.Errorf("an unknown variable: got %v", err)
	}
}

// FuzzTemplate: a template whose references render as their names is the text again.
func FuzzTemplate(f *testing.F) {
	for _, text := range []string{`{"message":$context.error.messageString}`, `$$context.stage.`, `$context.authorizer.a.b-c`, `$method.request.path.`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if template, err := gatewayresponse.ParseTemplate(text); err == nil && string(template.Render(name)) != text {
			t.Fatalf("%q renders as %q", text, template.Render(name))
		}
	})
}
