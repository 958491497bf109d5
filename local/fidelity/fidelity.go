// Package fidelity holds what a REST API of Amazon API Gateway is known to answer, one row
// for each behaviour, with its source. The same rows are asked of the local gateway, by the
// tests of this package, and of a deployed stage, by package conform.
//
// A row is a public observation or a documented promise. What nobody has published is no
// row: package gateway names its own choices. A row that the local gateway does not meet
// says so in differs, and docs/fidelity.md lists it.
package fidelity

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

//go:embed record.yaml
var record []byte

// Record is all rows, by area.
type Record struct {
	Sources map[string]Source
	Answers map[string]Answer // that many rows expect, by name
	Areas   []Area
}

// Source is where a behaviour is published.
type Source struct {
	Kind  Kind
	Date  string // of the observation; of a page or a report, when it was read
	Title string
	URL   string
}

// Kind is what a source is worth.
type Kind string

// The kinds, the best first.
const (
	Recorded   Kind = "recorded"   // observed on AWS and published as it was
	Documented Kind = "documented" // by AWS
	Reported   Kind = "reported"   // by users who observed it
)

// Kinds are all kinds, the best first.
var Kinds = []Kind{Recorded, Documented, Reported}

// Area is the rows about one subject.
type Area struct {
	Name string `yaml:"area"`
	Rows []Row
}

// Row is one behaviour: a declaration, a request and its answer.
type Row struct {
	Name    string `yaml:"is"`
	Declare Declaration
	// Authorizer and Function are how the two functions answer; nil is as usual: the policy
	// allows the event's method ARN, and the answer is 200.
	Authorizer, Function *Function

	First   []Before      // are sent before; one without headers and token has the row's
	Wait    time.Duration // passes before the row's request
	Request `yaml:",inline"`

	Gives  string // the name of the answer, whose members the row's own replace
	Answer `yaml:",inline"`
	Calls  map[string]int // of authorizer and function, as far as the row tells
	Asked  string         // the authorizer's event
	Event  map[string]any // the function's event: values by JSON pointer; null is null or absent

	From    Texts  // the sources' names
	Stage   Stage  // whether it applies to any deployed stage with a guarded method
	Differs string // what the local gateway does instead, and why
}

// Stage says which deployed stages a row applies to.
type Stage string

// The stages, beside none.
const (
	AnyStage   Stage = "any"
	NamedStage Stage = "named" // reached by a URL with its name, as a custom domain's is not
)

// Declaration is what a row changes about an API with GET /books, which needs a token, its
// preflight, an authorizer named token without a cache, and no gateway responses.
type Declaration struct {
	Open     []string                  // further methods without an authorizer: GET /users/{id}
	Guarded  []string                  // further methods with the authorizer
	Set      map[string]any            // inputs of resources: token.authorizerResultTtlInSeconds; null removes it
	Remove   []string                  // resources
	Add      map[string]map[string]any // resources by name, with type and id among the inputs
	Response map[string]map[string]any // gateway responses by type
}

// Function is how a function answers.
type Function struct {
	Answers   string           // the payload
	Fails     string           // the payload of an error
	Hangs     bool             // until the caller gives up
	Missing   bool             // cannot be invoked
	Throttled bool             // has no free concurrency
	Policy    []map[string]any // an authorizer's statements
	Context   map[string]any   // an authorizer's context
}

// UnmarshalYAML takes a text for the payload.
func (f *Function) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		f.Answers = node.Value
		return nil
	}
	type plain Function
	return strict(node, (*plain)(f))
}

// strict refuses unknown names, which a node's own Decode does not.
func strict(node *yaml.Node, into any) error {
	text, err := yaml.Marshal(node)
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	return decoder.Decode(into)
}

// Request is one request. {base} stands for the path of the stage, {path} for that of the
// guarded method, {guarded} for both, {GUARDED} for the same in upper case, {verb} for the
// method, and {lacking} for a method that the path lacks. {a*3} is aaa.
type Request struct {
	Ask     string              // GET /live/books?page=2
	Headers []map[string]string // one each, in this order
	Token   bool                // adds a token
	Sends   string              // the body
}

// Before is a request that is sent before another.
type Before Request

// UnmarshalYAML takes a text for the request line.
func (b *Before) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		b.Ask = node.Value
		return nil
	}
	return strict(node, (*Request)(b))
}

// Answer is what is expected.
type Answer struct {
	Status   int
	Type     *string           // x-amzn-ErrorType; "" is none
	Body     *string           // every byte
	Answered map[string]string // headers; "" is none, and /…/ a regular expression
}

// Texts is one text or several.
type Texts []string

// UnmarshalYAML implements [yaml.Unmarshaler].
func (t *Texts) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*t = Texts{node.Value}
		return nil
	}
	return node.Decode((*[]string)(t))
}

// Load reads the rows.
func Load() (*Record, error) {
	r := &Record{}
	decoder := yaml.NewDecoder(bytes.NewReader(record))
	decoder.KnownFields(true)
	if err := decoder.Decode(r); err != nil {
		return nil, fmt.Errorf("read record.yaml: %w", err)
	}
	for name, source := range r.Sources {
		if err := source.check(); err != nil {
			return nil, fmt.Errorf("source %s: %w", name, err)
		}
	}
	names := map[string]bool{}
	for _, area := range r.Areas {
		for i := range area.Rows {
			row := &area.Rows[i]
			if err := row.complete(r); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", area.Name, row.Name, err)
			}
			if key := area.Name + row.Name; names[key] {
				return nil, fmt.Errorf("%s: expected one row %q, got two", area.Name, row.Name)
			} else {
				names[key] = true
			}
		}
	}
	return r, nil
}

func (s Source) check() error {
	if _, err := time.Parse(time.DateOnly, s.Date); err != nil || !slices.Contains(Kinds, s.Kind) || s.Title == "" || !strings.HasPrefix(s.URL, "https://") {
		return fmt.Errorf("expected kind, date, title and an https URL, got %+v", s)
	}
	return nil
}

// complete fills in the named answer and reports what a row lacks.
func (row *Row) complete(r *Record) error {
	if row.Gives != "" {
		named, known := r.Answers[row.Gives]
		if !known {
			return fmt.Errorf("expected the name of an answer, got %q", row.Gives)
		}
		if row.Status == 0 {
			row.Status = named.Status
		}
		if row.Type == nil {
			row.Type = named.Type
		}
		if row.Body == nil {
			row.Body = named.Body
		}
	}
	switch {
	case row.Name == "" || row.Ask == "" || row.Status == 0:
		return errors.New("expected a name, a request and a status")
	case len(row.From) == 0:
		return errors.New("expected a source")
	case row.Stage != "" && row.Stage != AnyStage && row.Stage != NamedStage:
		return fmt.Errorf("expected the stage to be %s or %s, got %q", AnyStage, NamedStage, row.Stage)
	case row.Stage != "" && (row.Token || len(row.First) > 0 || row.Authorizer != nil || row.Function != nil || row.Sends != ""):
		return errors.New("expected a row for a stage to need no token, no function and no second request")
	}
	for _, name := range row.From {
		if _, known := r.Sources[name]; !known {
			return fmt.Errorf("expected the name of a source, got %q", name)
		}
	}
	return nil
}

// Place is what the placeholders of a request stand for.
type Place struct{ Base, Path, Verb, Lacking string }

var repeated = regexp.MustCompile(`\{([^{}*]+)\*(\d+)\}`)

// Fill replaces the placeholders of a text.
func (p Place) Fill(text string) string {
	guarded := p.Base + p.Path
	text = strings.NewReplacer("{base}", p.Base, "{path}", p.Path, "{guarded}", guarded, "{verb}", p.Verb, "{lacking}", p.Lacking,
		"{GUARDED}", p.Base+strings.ToUpper(p.Path)).Replace(text)
	return repeated.ReplaceAllStringFunc(text, func(match string) string {
		parts := repeated.FindStringSubmatch(match)
		count, _ := strconv.Atoi(parts[2]) // digits only
		return strings.Repeat(parts[1], count)
	})
}

// Line is the method and the target that a request asks for.
func (p Place) Line(r Request) (method, target string) {
	method, target, _ = strings.Cut(p.Fill(r.Ask), " ")
	return method, target
}

// Pattern is the regular expression that a header's value has to match; ok is false if
// it is a text to compare with.
func Pattern(expected string) (expression string, ok bool) {
	expression, ok = strings.CutPrefix(expected, "/")
	if !ok || !strings.HasSuffix(expression, "/") {
		return "", false
	}
	return strings.TrimSuffix(expression, "/"), true
}
