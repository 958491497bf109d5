package iampolicy

import (
	"fmt"
	"strings"
	"testing"
)

const books = "arn:aws:execute-api:eu-west-2:123456789012:abcdefghij/live/GET/books"

func document(statements string) []byte {
	return []byte(`{"Version":"2012-10-17","Statement":` + statements + `}`)
}

func TestEvaluate(t *testing.T) {
	const allow = `{"Effect":"Allow","Action":"execute-api:Invoke","Resource":`
	const deny = `{"Effect":"Deny","Action":"execute-api:Invoke","Resource":`
	for _, tt := range []struct {
		name       string
		statements string
		want       Decision
	}{
		{"the exact method ARN is allowed", allow + `"` + books + `"}`, Allow},
		{"a statement may be a list of one", `[` + allow + `"` + books + `"}]`, Allow},
		{"a resource may be one of a list", allow + `["x","` + books + `"]}`, Allow},
		{"another method ARN is not allowed", allow + `"` + books + `s"}`, ImplicitDeny},
		{"resources are case-sensitive", allow + `"` + strings.ToUpper(books) + `"}`, ImplicitDeny},
		{"a star spans slashes", allow + `"arn:aws:execute-api:*:*:abcdefghij/live/*"}`, Allow},
		{"a star spans colons", allow + `"arn:*books"}`, Allow},
		{"a star stands for nothing as well", allow + `"` + books + `*"}`, Allow},
		{"a question mark stands for one character", allow + `"arn:aws:execute-api:eu-west-2:123456789012:abcdefghij/live/GET/book?"}`, Allow},
		{"a question mark does not stand for none", allow + `"` + books + `?"}`, ImplicitDeny},
		{"a bare star allows everything", allow + `"*"}`, Allow},
		{"any matching deny wins over an earlier allow", `[` + allow + `"*"},` + deny + `"*"}]`, ExplicitDeny},
		{"any matching deny wins over a later allow", `[` + deny + `"*"},` + allow + `"*"}]`, ExplicitDeny},
		{"a deny for something else does not count", `[` + allow + `"*"},` + deny + `"x"}]`, Allow},
		{"action names are case-insensitive", `{"Effect":"Allow","Action":"EXECUTE-API:invoke","Resource":"*"}`, Allow},
		{"an action may be a wildcard", `{"Effect":"Allow","Action":["execute-api:*"],"Resource":"*"}`, Allow},
		{"an action may be everything", `{"Effect":"Allow","Action":"*","Resource":"*"}`, Allow},
		{"another action does not count", `{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"*"}`, ImplicitDeny},
		{"NotAction inverts", `{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}`, Allow},
		{"NotAction excludes", `{"Effect":"Allow","NotAction":"execute-api:*","Resource":"*"}`, ImplicitDeny},
		{"NotResource inverts", `{"Effect":"Allow","Action":"*","NotResource":"x"}`, Allow},
		{"NotResource excludes", `{"Effect":"Allow","Action":"*","NotResource":["x","` + books + `"]}`, ImplicitDeny},
		{"a condition never allows", `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}`, ImplicitDeny},
		{"a condition still denies", `[` + allow + `"*"},{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]`, ExplicitDeny},
		{"an empty condition is no condition", `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}`, Allow},
		{"a policy variable never allows", allow + `"*${aws:username}*"}`, ImplicitDeny},
		{"a policy variable never allows by exclusion", `{"Effect":"Allow","Action":"*","NotResource":"${aws:username}"}`, ImplicitDeny},
		{"a policy variable still denies", `[` + allow + `"*"},` + deny + `"${aws:username}"}]`, ExplicitDeny},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Parse(document(tt.statements))
			if err != nil {
				t.Fatal(err)
			}
			got := p.Evaluate("execute-api:Invoke", books)
			if got.Decision != tt.want {
				t.Errorf("got %v, want %v", got.Decision, tt.want)
			}
			if (got.Decision == ImplicitDeny) != (got.Statement == 0) {
				t.Errorf("decision %v names statement %d", got.Decision, got.Statement)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	ok := `"Action":"*","Resource":"*"`
	for name, doc := range map[string]string{
		"null":                        `null`,
		"a string":                    `"{}"`,
		"a list":                      `[]`,
		"no statement":                `{"Version":"2012-10-17"}`,
		"an empty statement list":     `{"Statement":[]}`,
		"a null statement":            `{"Statement":null}`,
		"a text statement":            `{"Statement":"Allow"}`,
		"an unknown version":          `{"Version":"2024-01-01","Statement":{"Effect":"Allow",` + ok + `}}`,
		"a lower-case element":        `{"statement":{"Effect":"Allow",` + ok + `}}`,
		"an unknown element":          `{"Statement":{"Effect":"Allow",` + ok + `,"Principal":"*"}}`,
		"a lower-case effect":         `{"Statement":{"Effect":"allow",` + ok + `}}`,
		"a missing effect":            `{"Statement":{` + ok + `}}`,
		"a repeated effect":           `{"Statement":{"Effect":"Deny","Effect":"Allow",` + ok + `}}`,
		"a missing action":            `{"Statement":{"Effect":"Allow","Resource":"*"}}`,
		"a missing resource":          `{"Statement":{"Effect":"Allow","Action":"*"}}`,
		"both Action and NotAction":   `{"Statement":{"Effect":"Allow",` + ok + `,"NotAction":"s3:*"}}`,
		"an empty resource list":      `{"Statement":{"Effect":"Allow","Action":"*","Resource":[]}}`,
		"a numeric resource":          `{"Statement":{"Effect":"Allow","Action":"*","Resource":1}}`,
		"a resource that is too long": `{"Statement":{"Effect":"Allow","Action":"*","Resource":"` + strings.Repeat("a", 513) + `"}}`,
		"a condition that is a list":  `{"Statement":{"Effect":"Allow",` + ok + `,"Condition":[]}}`,
		"a condition that is null":    `{"Statement":{"Effect":"Allow",` + ok + `,"Condition":null}}`,
		"a null action":               `{"Statement":{"Effect":"Allow","NotAction":null,"Resource":"*"}}`,
		"trailing text":               `{"Statement":{"Effect":"Allow",` + ok + `}} x`,
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Parse([]byte(doc))
			if err == nil {
				t.Fatal("expected an error")
			}
			if got := p.Evaluate("execute-api:Invoke", books).Decision; got != ImplicitDeny {
				t.Errorf("what could not be parsed decides %v", got)
			}
		})
	}
}

func TestMatchARN(t *testing.T) {
	const source = "arn:aws:execute-api:eu-west-2:123456789012:abcdefghij/live/GET/books"
	for _, tt := range []struct {
		name, pattern string
		want          bool
	}{
		{"the same ARN", source, true},
		{"any stage", "arn:aws:execute-api:eu-west-2:123456789012:abcdefghij/*/GET/books", true},
		{"any method of the API", "arn:aws:execute-api:eu-west-2:123456789012:abcdefghij/*", true},
		{"another API", "arn:aws:execute-api:eu-west-2:123456789012:jihgfedcba/*", false},
		{"a star does not span the colons", "arn:aws:execute-api:*:abcdefghij/live/GET/books", false},
		{"a bare star is not an ARN", "*", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := MatchARN(tt.pattern, source); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// FuzzPolicy holds the two promises that everything else rests on: what does not
// parse allows nothing, and adding a Deny for everything to what parses leaves
// nothing allowed.
func FuzzPolicy(f *testing.F) {
	for _, statements := range []string{
		`{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}`,
		`[{"Effect":"Deny","NotAction":["s3:*"],"NotResource":"a?c*"}]`,
		`[{"Effect":"Allow","Action":"*","Resource":"${a}","Condition":{"Bool":{}}}]`,
		`null`,
	} {
		f.Add(statements, books)
	}
	f.Fuzz(func(t *testing.T, statements, resource string) {
		p, err := Parse(document(statements))
		if err != nil {
			if got := p.Evaluate("execute-api:Invoke", resource).Decision; got != ImplicitDeny {
				t.Fatalf("an unparsed policy decides %v", got)
			}
			return
		}
		p.Evaluate("execute-api:Invoke", resource)
		inner := strings.TrimSpace(statements)
		inner = strings.TrimSuffix(strings.TrimPrefix(inner, "["), "]")
		denied, err := Parse(document(fmt.Sprintf(`[%s,{"Effect":"Deny","Action":"*","Resource":"*"}]`, inner)))
		if err != nil {
			return // the input closed the Statement element itself
		}
		if got := denied.Evaluate("execute-api:Invoke", resource).Decision; got != ExplicitDeny {
			t.Fatalf("a policy that denies everything decides %v", got)
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	p, err := Parse(document(`{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"` + books + `"}`))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if p.Evaluate("execute-api:Invoke", books).Decision != Allow {
			b.Fatal("not allowed")
		}
	}
}
