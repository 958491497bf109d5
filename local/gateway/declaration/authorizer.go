package declaration

import (
	"strings"
	"time"

	"account-api/local/gateway/field"
)

// Authorizer is a Lambda TOKEN authorizer.
type Authorizer struct {
	Declared   string // logical name in the program
	ID, Name   string
	Function   *Function
	Header     string        // identity source
	Expression *Expression   // identity validation; nil = any value that is not empty
	TTL        time.Duration // 0 = results are not cached
}

func readAuthorizers(d *document, f functions) []*Authorizer {
	var all []*Authorizer
	d.each(TypeAuthorizer, func(r declared) {
		a := &Authorizer{Declared: r.Name, ID: r.ID, Name: r.text("name", r.Name), Function: f.invoked(r, "authorizerUri")}
		source := r.text("identitySource", "method.request.header.Authorization")
		header, ok := strings.CutPrefix(source, "method.request.header.")
		if !ok || !field.ValidName(header) {
			r.refuse("identitySource", "expected method.request.header.<name>, got %q: a TOKEN authorizer reads one header", source)
		}
		a.Header = header
		a.Expression = readExpression(r, "identityValidationExpression")
		// Default and range: https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html
		a.TTL = time.Duration(r.integer("authorizerResultTtlInSeconds", 300, 0, 3600)) * time.Second
		all = append(all, a)
	})
	return all
}
