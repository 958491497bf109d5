package flow

import (
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// shapes finds the expressions that have none of the shapes.
type shapes struct {
	rules     map[string][]*ast.Rule
	values    map[string]bits // of a rule, by path
	arguments map[argument]bits
	documents map[string]any
	entry     ast.Ref

	final   bool // the values are known: note what is outside
	outside []Expression
	quotes  bool
	peers   []Expression // that compare two texts of the input

	rule *ast.Rule
	expr *ast.Expr
}

type argument struct {
	function string
	index    int
}

func readShapes(rules []*ast.Rule, entrypoint string, documents map[string]any) *shapes {
	s := &shapes{rules: map[string][]*ast.Rule{}, values: map[string]bits{}, arguments: map[argument]bits{}, documents: documents}
	s.entry, _ = ast.PtrRef(ast.DefaultRootDocument, entrypoint)
	for _, rule := range rules {
		path := rule.Ref().GroundPrefix().String()
		s.rules[path] = append(s.rules[path], rule)
	}
	for {
		before := s.size()
		for _, rule := range rules {
			s.walkRule(rule)
		}
		if s.size() == before {
			break
		}
	}
	s.final = true
	for _, rule := range rules {
		s.walkRule(rule)
	}
	return s
}

// size grows with what is known, until all is.
func (s *shapes) size() (n int) {
	for _, b := range s.values {
		n += int(b)
	}
	for _, b := range s.arguments {
		n += int(b)
	}
	return n
}

// fault notes the present expression as outside, and returns what is then known of its value.
func (s *shapes) fault(format string, arguments ...any) bits {
	if s.final {
		s.outside = append(s.outside, s.here(fmt.Sprintf(format, arguments...)))
	}
	return unknown
}

// here is the present expression.
func (s *shapes) here(why string) Expression {
	location := s.rule.Location
	if s.expr != nil && s.expr.Location != nil {
		location = s.expr.Location
	}
	return at(location, why)
}

func at(location *ast.Location, why string) Expression {
	return Expression{Place: fmt.Sprintf("%s:%d", location.File, location.Row), Text: firstLine(string(location.Text)), Why: why}
}

// empties are the rules with an empty text, which a list has between two spaces.
func (s *shapes) empties() (found []Expression) {
	for _, rules := range s.rules {
		for _, rule := range rules {
			ast.WalkTerms(rule, func(t *ast.Term) bool {
				if t.Equal(ast.StringTerm("")) {
					found = append(found, at(rule.Location, "an empty text among the parts of the input"))
				}
				return false
			})
		}
	}
	if found == nil {
		found = []Expression{{Place: "data", Text: `""`, Why: "an empty text among the parts of the input"}}
	}
	return found
}

func firstLine(source string) string {
	for i, r := range source {
		if r == '\n' {
			return source[:i] + " …"
		}
	}
	return source
}

// scope is what is known of the variables of a rule, so far in the order of evaluation.
type scope map[ast.Var]bits

func (s *shapes) walkRule(rule *ast.Rule) {
	s.rule, s.expr = rule, nil
	path := rule.Ref().GroundPrefix().String()
	known := scope{}
	for i, pattern := range rule.Head.Args {
		s.bind(known, pattern, s.arguments[argument{path, i}])
	}
	s.body(known, rule.Body)
	s.expr = nil

	value := s.head(known, rule)
	isEntry := rule.Ref().GroundPrefix().Equal(s.entry)
	if isEntry && value.has(quote) {
		s.quotes = true
	}
	// Two definitions that both hold are an error unless their values are equal.
	if value.has(fromInput) && rule.Head.RuleKind() == ast.SingleValue && s.definitions(path) > 1 && !rule.Default {
		value = s.fault("one of several definitions of a value that holds input")
	}
	if value.has(part) && rule.Head.RuleKind() == ast.SingleValue {
		value = s.fault("a single value that is a part of the input")
	}
	if value.has(unknown) && isEntry {
		s.fault("the decision itself is made of input")
	}
	s.values[path] |= value
}

func (s *shapes) definitions(path string) (n int) {
	for _, rule := range s.rules[path] {
		if !rule.Default {
			n++
		}
	}
	return n
}

// head is what a rule's value may be.
func (s *shapes) head(known scope, rule *ast.Rule) bits {
	if rule.Head.RuleKind() == ast.MultiValue {
		switch key := s.term(known, rule.Head.Key); {
		case s.dynamic(known, rule):
			return s.fault("a set with keys from the input")
		case !rule.Head.Ref().IsGround() && !key.only(determined): // an object of such sets
			return s.fault("several sets of values that hold input")
		case key.only(determined | quote):
			return key
		case key.only(text | spelled):
			return set | key&spelled
		default:
			return s.fault("a set of values that hold input")
		}
	}
	value := bits(spelled)
	if rule.Head.Value != nil {
		value = s.term(known, rule.Head.Value)
	}
	keys := rule.Head.Ref()[len(rule.Head.Ref().GroundPrefix()):]
	if rule.Head.Key != nil {
		keys = append(slices.Clone(keys), rule.Head.Key)
	}
	for _, key := range keys {
		b := s.term(known, key)
		if !b.only(determined) || !value.only(determined) {
			return s.fault("an object with keys or values from the input")
		}
		value |= b
	}
	return value
}

// dynamic reports whether a rule's name has a variable that holds input.
func (s *shapes) dynamic(known scope, rule *ast.Rule) bool {
	ref := rule.Head.Ref()
	return slices.ContainsFunc(ref[len(ref.GroundPrefix()):], func(key *ast.Term) bool { return !s.term(known, key).only(determined) })
}
