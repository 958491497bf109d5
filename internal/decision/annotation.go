package decision

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// schemaAnnotation is the schema of the input in the METADATA of a Rego file, with what
// belongs to it by indentation.
var schemaAnnotation = regexp.MustCompile(`(?m)^# schemas:\n(?:#   .*\n)+`)

// WithSchema returns the source of a Rego file with the schema of the input in its annotation
// schemas. The opa command enforces it there, without a flag and without a file. A source
// without the annotation stays as it is: the handler needs none.
// https://www.openpolicyagent.org/docs/policy-language#schemas
func WithSchema(source string, claims []string) string {
	properties := Schema(claims)["properties"].(map[string]any)
	var annotation strings.Builder
	annotation.WriteString("# schemas:\n#   - input:\n#       type: object\n#       additionalProperties: false\n#       properties:\n")
	for _, field := range Fields {
		if schema, found := properties[field.Name]; found {
			line, err := json.Marshal(schema)
			if err != nil {
				panic(err) // a map of strings and maps
			}
			fmt.Fprintf(&annotation, "#         %s: %s\n", field.Name, line)
		}
	}
	return schemaAnnotation.ReplaceAllLiteralString(source, annotation.String())
}
