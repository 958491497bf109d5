package decision

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"account-api/internal/spelling"
)

// error is every fault of a policy, each on a line as compilers write them, in the order of
// the source. Errs are those of the first compilation.
//
// OPA ends a compilation after the first stage in which some errors occur, such as an unsafe
// variable. The type checker, which knows the schema, is the last stage. So the policy is
// compiled again with the faulty rules emptied, until no other fault is found.
func (s Stack) error(from *source, errs ast.Errors, compile func(map[string]*ast.Module) *ast.Compiler) error {
	found := ast.Errors{}
	emptied := map[*ast.Rule]bool{}
	modules := map[string]*ast.Module{}
	for name, module := range from.modules {
		modules[name] = module.Copy()
	}
	for first := true; len(errs) > 0; first = false {
		more := false
		for _, err := range errs {
			known := slices.ContainsFunc(found, func(other *ast.Error) bool { return err.Message == other.Message && err.Location.Equal(other.Location) })
			// An emptied rule uses no import and no name of a file that does not parse.
			if known || !first && strings.HasPrefix(err.Message, "import ") || from.explains(err) {
				continue
			}
			found = append(found, err)
			if _, ours := err.Details.(recoverable); !ours && !strings.Contains(err.Message, "unused") {
				more = empty(modules, err.Location, emptied) || more
			}
		}
		if errs = nil; more {
			errs = compile(modules).Errors
		}
	}
	found = append(found, oneByPlace(from.faults)...)
	found.Sort()
	lines := make([]error, 0, len(found)+len(from.others))
	for _, err := range found {
		lines = append(lines, errors.New(err.Error()+from.documents.hint(err)+s.hint(err)))
	}
	return errors.Join(append(lines, from.others...)...)
}

// recoverable marks an error after which the compilation goes on.
type recoverable struct {
	field ast.Ref // of the input that is missing, or nil
}

// Lines implements [ast.ErrorDetails].
func (recoverable) Lines() []string { return nil }

// oneByPlace leaves out all but the longest of the parser's errors about one place.
func oneByPlace(errs ast.Errors) (kept ast.Errors) {
	for _, err := range errs {
		at := slices.IndexFunc(kept, func(other *ast.Error) bool { return other.Location.Equal(err.Location) })
		switch {
		case at < 0:
			kept = append(kept, err)
		case len(err.Message) > len(kept[at].Message):
			kept[at] = err
		}
	}
	return kept
}

// empty replaces the rule at a place with one of the same name whose value is of any type.
// It reports whether it did.
func empty(modules map[string]*ast.Module, at *ast.Location, emptied map[*ast.Rule]bool) (done bool) {
	if at == nil || modules[at.File] == nil {
		return false
	}
	var start int
	for _, rule := range modules[at.File].Rules {
		if row := rule.Location.Row; row <= at.Row {
			start = max(start, row)
		}
	}
	for _, rule := range modules[at.File].Rules {
		if rule.Location.Row != start || emptied[rule] || rule.Default {
			continue
		}
		emptied[rule], done = true, true
		count := 0
		variable := func(prefix string) *ast.Term {
			count++
			return ast.VarTerm(fmt.Sprint(prefix, count)).SetLocation(rule.Location)
		}
		body := ast.NewBody(ast.NewExpr(ast.BooleanTerm(true).SetLocation(rule.Location)).SetLocation(rule.Location))
		anything := func() *ast.Term {
			value := variable("anything")
			body.Append(ast.JSONUnmarshal.Expr(ast.StringTerm("null").SetLocation(rule.Location), value).SetLocation(rule.Location))
			return value
		}
		for i := range rule.Head.Args {
			rule.Head.Args[i] = variable(ast.WildcardPrefix)
		}
		for i, operand := range rule.Head.Reference {
			if i > 0 && !operand.IsGround() {
				rule.Head.Reference[i] = anything()
			}
		}
		if rule.Head.Key != nil {
			rule.Head.Key = anything()
		}
		if rule.Head.Value != nil {
			rule.Head.Value = anything()
		}
		rule.Body, rule.Else = body, nil
	}
	return done
}

// explains reports whether an error may come from a file that does not parse.
func (s *source) explains(err *ast.Error) bool {
	name, found := strings.CutPrefix(err.Message, "undefined function ")
	ref, malformed := ast.ParseRef(name)
	return found && malformed == nil && s.mayHave(ref)
}

// mayHave reports whether a file that does not parse may have the name, or a part of it.
func (s *source) mayHave(name ast.Ref) bool {
	return slices.ContainsFunc(s.unknown, func(place ast.Ref) bool { return name.HasPrefix(place) || place.HasPrefix(name) })
}

// packageClause finds the package of a file that does not parse.
var packageClause = regexp.MustCompile(`(?m)^package\s+(\S+)`)

// packageOf is the path of a file's package, or data if none is found.
func packageOf(text string) ast.Ref {
	if clause := packageClause.FindStringSubmatch(text); clause != nil {
		if ref, err := ast.ParseRef("data." + clause[1]); err == nil {
			return ref
		}
	}
	return ast.DefaultRootRef
}

// place is the path of a document's directory below data.
func place(directory string) ast.Ref {
	ref := ast.DefaultRootRef.Copy()
	if directory != "." {
		for name := range strings.SplitSeq(directory, "/") {
			ref = append(ref, ast.StringTerm(name))
		}
	}
	return ref
}

// hint is what OPA's message lacks: where a policy's built-in functions are listed, or the
// command that passes a claim on.
func (s Stack) hint(err *ast.Error) string {
	if name, found := strings.CutPrefix(err.Message, "undefined function "); found && !strings.HasPrefix(name, "data.") {
		return ": a policy may use the built-in functions in internal/decision/capabilities.json"
	}
	claim, found := s.missing(err)
	if !found {
		return ""
	}
	whose, index, stack, where := "no stack passes", "N", "STACK", ""
	switch {
	case s.Name != "":
		whose, index, stack = "stack "+s.Name+" does not pass", strconv.Itoa(len(s.Claims)), s.Name
	case len(s.Claims) == 0:
		index = "0"
	default: // each stack has its own number of them
		where = ", where N is the number of claims that the stack has"
	}
	meant := ""
	path := slices.IndexFunc(s.Claims, func(name string) bool { return strings.HasPrefix(name, claim+".") })
	switch near := spelling.Nearest(claim, s.Claims); {
	case claim == "":
		claim = "CLAIM"
	case path >= 0:
		meant = s.Claims[path] + " would be a claim with a dot in its name, not a key of " + claim + ": "
	case near != "":
		meant = "did you mean " + near + "? If not, "
	}
	return fmt.Sprintf("\n\t%s this claim on: %spulumi config set --path 'claims[%s]' %s --stack %s%s", whose, meant, index, quoted(claim), stack, where)
}

// conflict matches OPA's message about a key of a document that is a rule too.
var conflict = regexp.MustCompile(`^conflicting rule for data path (\S+) found$`)

// hint says where the key of a document is that conflicts with a rule.
func (d *documents) hint(err *ast.Error) string {
	path := conflict.FindStringSubmatch(err.Message)
	if path == nil {
		return ""
	}
	if place := d.where(strings.Split(path[1], "/")); place != "" {
		return ": " + place + " has that key: rename one of them"
	}
	return ""
}

// missing is the claim that an error of the type checker is about, "" if no constant names it.
func (s Stack) missing(err *ast.Error) (claim string, found bool) {
	var ref ast.Ref
	switch details := err.Details.(type) {
	case *ast.RefErrInvalidDetail:
		ref = details.Ref
	case *ast.RefErrUnsupportedDetail:
		ref = details.Ref
	case recoverable:
		ref = details.field
	}
	if len(ref) < 2 || !ref[:2].Equal(claimsRef) {
		return "", false
	}
	if len(ref) > 2 {
		if name, constant := ref[2].Value.(ast.String); constant {
			return string(name), true
		}
	}
	return "", true
}

// quoted is a text as one word of a shell.
func quoted(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune(unquoted, r) }) {
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	return text
}

// claimsRef is input.claims.
var claimsRef = ast.InputRootRef.Append(ast.StringTerm("claims"))

// unquoted are characters that mean nothing to a shell.
const unquoted = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,"
