package graph

import (
	"slices"
	"strings"
)

// Unknown stands for a value that was computed from an output which could not be made up.
const Unknown = "[unknown]"

// Secret stands for a value that is not shown.
const Secret = "[secret]"

// Withheld stands for a setting of the stack file that is encrypted.
func Withheld(key string) string { return "[secret " + key + "]" }

// WithheldIn returns the setting whose encrypted value would be part of a text.
func WithheldIn(text string) (key string, ok bool) {
	_, rest, begins := strings.Cut(text, "[secret ")
	key, _, ends := strings.Cut(rest, "]")
	return key, begins && ends
}

// Contains reports whether a value has the text, at any depth.
func Contains(value any, text string) bool {
	found := false
	Texts(value, func(t string) { found = found || t == text })
	return found
}

// Texts calls f with every text in a value.
func Texts(value any, f func(string)) {
	switch v := value.(type) {
	case string:
		f(v)
	case []any:
		for _, element := range v {
			Texts(element, f)
		}
	case map[string]any:
		for _, member := range v {
			Texts(member, f)
		}
	}
}

// deciding are the types that decide how a request is answered.
var deciding = []string{"aws:lambda/function:Function", "aws:lambda/alias:Alias", "aws:lambda/permission:Permission"}

// observing are the types of API Gateway that decide no answer on this machine.
var observing = []string{
	"aws:apigateway/account:Account", "aws:apigateway/domainName:DomainName", "aws:apigateway/basePathMapping:BasePathMapping",
	"aws:apigateway/documentationPart:DocumentationPart", "aws:apigateway/documentationVersion:DocumentationVersion",
	"aws:apigateway/clientCertificate:ClientCertificate", "aws:apigateway/vpcLink:VpcLink",
	"aws:apigateway/domainNameAccessAssociation:DomainNameAccessAssociation",
}

// Decides reports whether resources of a type decide how a request is answered. The runner
// models these, or refuses them by name.
func Decides(token string) bool {
	return slices.Contains(deciding, token) || strings.HasPrefix(token, "aws:apigateway/") && !slices.Contains(observing, token)
}
