//go:build mutants

package token_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	gotoken "go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestEveryCheckIsNecessary proves that the rows cover every check. It breaks the package in
// one place at a time and demands that some row fails. A place is the condition of an if
// (never true, always true), an operand of && or || (left out) or an ordering comparison
// (its boundary moved).
//
// All mutants are compiled into one test binary by go test -overlay, each behind a number.
// The package on disk is not changed. TestMutants, at the end of this file, turns on one
// after the other. It compiles the package and runs all rows some 500 times, so it has a tag of
// its own: make test-token runs it.
func TestEveryCheckIsNecessary(t *testing.T) {
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	temporary := t.TempDir()
	replace := map[string]string{}
	put := func(name, text string) {
		replacement := filepath.Join(temporary, name)
		if err := os.WriteFile(replacement, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(here, name)] = replacement
	}

	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var m mutator
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := m.rewrite(name)
		if err != nil {
			t.Fatal(err)
		}
		put(name, text)
	}
	put("mutants.go", mutantSwitch)
	put("mutants_test.go", fmt.Sprintf("%s\nvar mutants = %#v\n", mutantTest, m.places))

	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	put("overlay.json", string(overlay))
	output, err := exec.Command("go", "test", "-tags=mutants", "-vet=off", "-count=1", "-v", "-run=^TestMutants$",
		"-overlay="+filepath.Join(temporary, "overlay.json"), ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	// The inner run must have had mutants to kill, or it proves nothing.
	if summary := fmt.Sprintf("of %d mutants ", len(m.places)); len(m.places) < 100 || !bytes.Contains(output, []byte(summary)) {
		t.Fatalf("want a run over all of %d mutants, got\n%s", len(m.places), output)
	}
	t.Logf("%s", output)
}

// equivalents are the mutants that change no answer, so that no row can fail. Some row must
// fail for every other mutant.
//
//lint:ignore U1000 the test that the overlay adds reads it
var equivalents = map[string]string{
	"objection: if never !t.claims.marked":                   "without a mark there is nothing to find",
	"read: if always !known":                                 "the header cache saves time and decides nothing",
	`text: if never bytes.IndexByte(inner, '\\') < 0`:        "unquoting text without escapes is a copy",
	"printable: if always char >= utf8.RuneSelf":             "characters tell as well as bytes, more slowly",
	"printable: boundary of char >= utf8.RuneSelf":           "no character starts with that byte",
	"elements: if never v.kind() != jsontext.KindBeginArray": "the decoder would find out, more slowly",
	"readObject: if never err != nil #2":                     "a decoder that failed at a name fails there again",
	"readObject: if never err != nil #4":                     "what can be wrong with a brace that was seen, the next read meets",
	"numericDate: if never err == nil":                       "a whole number is a number with a fraction, too, more slowly",
	"verify: without !replaced.Equal(key)":                   "the same key fails again",
	"elements: without err == nil":                           "a value that was read once can be read again",
}

// mutator puts each place of a source behind the number of its mutant.
type mutator struct {
	places   []string // what the mutant with this number breaks
	function string
}

func (m *mutator) rewrite(name string) (string, error) {
	files := gotoken.NewFileSet()
	file, err := parser.ParseFile(files, name, nil, 0)
	if err != nil {
		return "", err
	}
	for _, declaration := range file.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok {
			m.function = function.Name.Name
			ast.Inspect(function, m.statement)
		}
	}
	var text bytes.Buffer
	err = format.Node(&text, files, file)
	return text.String(), err
}

func (m *mutator) statement(node ast.Node) bool {
	switch node := node.(type) {
	case *ast.IfStmt:
		whole := node.Cond
		node.Cond = m.or("if always", whole, m.and("if never", whole, m.expression(whole)))
	case *ast.ForStmt:
		if node.Cond != nil {
			node.Cond = m.expression(node.Cond)
		}
		// A mutant that loops for ever is noticed as well.
		node.Body.List = slices.Insert(node.Body.List, 0, ast.Stmt(&ast.ExprStmt{X: call("mutantLoops", -1)}))
	case *ast.ReturnStmt:
		for i, result := range node.Results {
			node.Results[i] = m.expression(result)
		}
	case *ast.AssignStmt:
		for i, value := range node.Rhs {
			node.Rhs[i] = m.expression(value)
		}
	case *ast.CaseClause:
		for i, value := range node.List {
			node.List[i] = m.expression(value)
		}
	}
	return true
}

// expression returns e with a switch at each of its operands and comparisons.
func (m *mutator) expression(e ast.Expr) ast.Expr {
	binary, ok := e.(*ast.BinaryExpr)
	if !ok {
		return e
	}
	moved := map[gotoken.Token]gotoken.Token{
		gotoken.LSS: gotoken.LEQ, gotoken.LEQ: gotoken.LSS, gotoken.GTR: gotoken.GEQ, gotoken.GEQ: gotoken.GTR,
	}
	switch binary.Op {
	case gotoken.LAND:
		return &ast.BinaryExpr{Op: binary.Op, X: m.or("without", binary.X, m.expression(binary.X)), Y: m.or("without", binary.Y, m.expression(binary.Y))}
	case gotoken.LOR:
		return &ast.BinaryExpr{Op: binary.Op, X: m.and("without", binary.X, m.expression(binary.X)), Y: m.and("without", binary.Y, m.expression(binary.Y))}
	case gotoken.LSS, gotoken.LEQ, gotoken.GTR, gotoken.GEQ:
		number := m.place("boundary of", e)
		return &ast.ParenExpr{X: &ast.BinaryExpr{Op: gotoken.LOR,
			X: &ast.BinaryExpr{Op: gotoken.LAND, X: call("mutantIsNot", number), Y: e},
			Y: &ast.BinaryExpr{Op: gotoken.LAND, X: call("mutantIs", number), Y: &ast.BinaryExpr{X: binary.X, Op: moved[binary.Op], Y: binary.Y}},
		}}
	}
	return e
}

// and makes e false, or makes e true, when the mutant is on.
func (m *mutator) and(how string, original, e ast.Expr) ast.Expr {
	return &ast.ParenExpr{X: &ast.BinaryExpr{Op: gotoken.LAND, X: call("mutantIsNot", m.place(how, original)), Y: &ast.ParenExpr{X: e}}}
}
func (m *mutator) or(how string, original, e ast.Expr) ast.Expr {
	return &ast.ParenExpr{X: &ast.BinaryExpr{Op: gotoken.LOR, X: call("mutantIs", m.place(how, original)), Y: &ast.ParenExpr{X: e}}}
}

func (m *mutator) place(how string, e ast.Expr) (number int) {
	place := m.function + ": " + how + " " + types.ExprString(e)
	for count := 2; slices.Contains(m.places, place); count++ {
		place = fmt.Sprintf("%s: %s %s #%d", m.function, how, types.ExprString(e), count)
	}
	m.places = append(m.places, place)
	return len(m.places) - 1
}

func call(function string, number int) *ast.CallExpr {
	return &ast.CallExpr{Fun: ast.NewIdent(function), Args: []ast.Expr{&ast.BasicLit{Kind: gotoken.INT, Value: strconv.Itoa(number)}}}
}

// mutantSwitch joins the package under test, mutantTest its tests.
const mutantSwitch = `package token

var mutant, loops = -1, 0

func MutantOn(number int)         { mutant, loops = number, 0 }
func mutantIs(number int) bool    { return mutant == number }
func mutantIsNot(number int) bool { return mutant != number }

func mutantLoops(int) {
	if loops++; loops > 1_000_000 {
		panic("the mutant loops for ever")
	}
}
`

const mutantTest = `package token_test

import (
	"testing"

	"account-api/internal/token"
)

func TestMutants(t *testing.T) {
	all := proofs()
	if name := noticed(all); name != "" {
		t.Fatalf("want no failure without a mutant, got one of %q", name)
	}
	killed := 0
	for number, place := range mutants {
		token.MutantOn(number)
		name := noticed(all)
		token.MutantOn(-1)
		_, equivalent := equivalents[place]
		switch {
		case name == "" && !equivalent:
			t.Errorf("no row notices the mutant %q", place)
		case name != "" && equivalent:
			t.Errorf("the row %q notices a mutant that is listed as equivalent: %q", name, place)
		case name != "":
			killed++
		}
	}
	t.Logf("of %d mutants %d were killed; %d are listed as equivalent", len(mutants), killed, len(equivalents))
}
`
