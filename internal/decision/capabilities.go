package decision

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
)

// excluded are built-in functions that a policy may not use, besides those that OPA marks as
// non-deterministic, such as http.send, and those that strict mode refuses as deprecated.
//
// A name that ends in an underscore stands for all that begin with it.
var excluded = []string{
	"io.jwt.verify_",                // the authorizer has verified the token
	"crypto.x509.parse_and_verify_", // compares with the clock
	ast.Trace.Name,                  // writes into a trace that nobody reads
}

// Capabilities are what a policy may use of Rego: the language, and built-in functions that
// compute on their arguments. A decision with others could leak its input, hang, or differ
// between two equal requests.
//
// They are those of the OPA in go.mod, less what is excluded. The file capabilities.json has
// the same in OPA's format, for the opa command. A test compares the two, so an upgrade of
// OPA shows what it adds. The handler does not read the file: parsing it would take a part
// of every cold start.
var Capabilities = sync.OnceValue(func() *ast.Capabilities {
	all := ast.CapabilitiesForThisVersion()
	all.Builtins = slices.DeleteFunc(all.Builtins, func(b *ast.Builtin) bool {
		return b.Nondeterministic || b.IsDeprecated() || slices.ContainsFunc(excluded, func(name string) bool {
			return b.Name == name || strings.HasSuffix(name, "_") && strings.HasPrefix(b.Name, name)
		})
	})
	all.WasmABIVersions = nil
	// Empty and not nil: no host, even for a schema that an annotation refers to.
	all.AllowNet = []string{}
	return all
})

// CapabilitiesJSON is the content of the file capabilities.json, with a line for each
// function.
func CapabilitiesJSON() ([]byte, error) {
	var file bytes.Buffer
	file.WriteString("{\n  \"builtins\": [\n")
	for i, builtin := range Capabilities().Builtins {
		line, err := json.Marshal(builtin.Minimal())
		if err != nil {
			return nil, err
		}
		if i > 0 {
			file.WriteString(",\n")
		}
		fmt.Fprintf(&file, "    %s", line)
	}
	keywords, err := json.Marshal(Capabilities().FutureKeywords)
	if err != nil {
		return nil, err
	}
	features, err := json.Marshal(Capabilities().Features)
	// Without allow_net every host is allowed. OPA's own type omits an empty one.
	fmt.Fprintf(&file, "\n  ],\n  \"future_keywords\": %s,\n  \"features\": %s,\n  \"allow_net\": []\n}\n", keywords, features)
	return file.Bytes(), err
}
