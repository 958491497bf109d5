package access

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// witness describes a caller.
func (s space) witness(c caller) Witness {
	var all []string
	for i, d := range s.dimensions {
		v := d.value(c[i])
		switch {
		case c[i] == 0 && v.size == 0: // the least
		case v.json == nil && d.core[0].json != nil:
			all = append(all, "no "+name(d.leaf.String()))
		case v.json != nil:
			all = append(all, words(d, v))
		}
	}
	if len(all) == 0 {
		all = []string{"anybody"}
	}
	return Witness{Input: s.input(c), Words: strings.Join(all, ", ")}
}

// words say a leaf's value.
func words(d dimension, v value) string {
	switch content := v.json.(type) {
	case string:
		return name(d.leaf.String()) + " `" + shown(content) + "`"
	case int64:
		return name(d.leaf.String()) + " `" + moment(content) + "`"
	default:
		text, _ := json.Marshal(content) // of strings and numbers
		return name(d.leaf.String()) + " `" + escaped(string(text)) + "`"
	}
}

// moment is a point in time, to the nanosecond.
func moment(nanoseconds int64) string {
	return time.Unix(0, nanoseconds).UTC().Format("Mon 2006-01-02T15:04:05.999999999Z")
}

// shown is text on one line, without what ends a code span.
func shown(text string) string {
	quoted := fmt.Sprintf("%q", text)
	if quoted != `"`+text+`"` || strings.ContainsAny(text, "`|") || text == "" || text != strings.TrimSpace(text) {
		return escaped(quoted)
	}
	return text
}

// name is the name of a leaf or a directory, where it stands outside a code span.
func name(text string) string {
	return strings.NewReplacer("@", "\\u0040", "<", "\\u003c", "[", "\\u005b", "*", "\\u002a").Replace(shown(text))
}

// escaped is a string of JSON or Go without what ends a code span or a cell.
func escaped(quoted string) string {
	return strings.NewReplacer("`", "\\u0060", "|", "\\u007c").Replace(quoted)
}
