package flow

// Shapes is the written list of what an expression may do with the input so that a search
// over the constants is complete. The argument is that of a small model: each of these
// depends only on which constants a value is equal to, or which of them a list has, and on
// whether it is absent or has something else. A caller for each such case stands for all
// callers of that case. Determined below means: the same for all callers of one case.
//
// Anything else is outside. A test of each name holds both.
var Shapes = []struct{ Name, Shape, Outside string }{
	{`whether a field is defined`, `input.azp, whether it is defined`, `input itself, input[x], and fields with any JSON or a number`},
	{`equality with a constant`, `input.azp == "web", != "web", also with a rule or a data document that spells the text out`, `with text that is computed, as concat makes it`},
	{`membership of a field in constants`, `input.azp in {"web", "app"}, roles[input.azp], where the text is spelled out`, `with keys or members that are computed`},
	{`equality of two fields`, `input.azp == input.principal, where neither is split`, `where one is split; a part of a list with another input`},
	{`membership in a split`, `"read" in split(input.scope, " "), also with text that a rule or a data document spells out`, `another separator; "" as a part; a part of the input in a list of the input`},
	{`some part of a split`, `some s in split(input.scope, " "), then one of these shapes for s`, `the position of s; a second value from the input for s`},
	{`every part of a split`, `every s in split(input.scope, " ") { one of these shapes for s }`, `the position of s`},
	{`the parts as a set`, `{s | some s in split(input.scope, " ")}, and "read" in it; the same as rule with contains`, `the same as an array, which has an order and repetitions`},
	{`operations on that set`, `{"a", "b"} - granted, {"a", "b"} & granted, granted - {"a"}, granted | {"a"} for such a set granted`, `count(granted), granted == {"a"}`},
	{`a list`, `"v" in input.query.x, and the other shapes of a list`, `input.query.x[0], input.path[1]`},
	{`object.get`, `object.get(input, "azp", "none"), then as input.azp`, `object.get with a path, or of a field with members`},
	{`types`, `is_string(input.azp) and the other questions for the type`, `those for fields with any JSON`},
	{`functions`, `a call of a function, an argument and a value of these shapes`, `two definitions of a value that holds input; a pattern with input`},
	{`a reason that quotes the input`, `sprintf("…", [input.azp]) in a reason`, `the same compared with anything`},
	{`functions of what is determined`, `any built-in function of what is determined`, `any other built-in function of input; with`},
}

// bits are what a value may be, as far as the argument needs it. A value may have several.
type bits uint16

const (
	spelled  bits = 1 << iota // determined, and made of constants that the policy or its data spells out
	computed                  // determined, but its texts may be others
	whole                     // text of the input
	part                      // a member of a list of the input
	array                     // a list of the input
	set                       // a set of members of the input
	quote                     // text for people that quotes the input
	document                  // the input itself
	unknown                   // anything that depends on the input

	determined = spelled | computed
	text       = whole | part
	fromInput  = whole | part | array | set | quote | document | unknown
)

// only reports whether b has bits of these and no others.
func (b bits) only(these bits) bool { return b&^these == 0 }

func (b bits) has(any bits) bool { return b&any != 0 }
