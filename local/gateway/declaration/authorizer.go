package declaration

import "time"

// Authorizer is a Lambda TOKEN authorizer.
type Authorizer struct {
	Declared   string // logical name in the program
	ID         string
	Function   *Function
	Header     string        // identity source
	Expression *Expression   // identity validation; nil = any value that is not empty
	TTL        time.Duration // 0 = results are not cached
}

func readAuthorizers(d *document, f functions) []*Authorizer {
	var all []*Authorizer
	d.each(TypeAuthorizer, func(r declared) {
		source := r.text("identitySource", "method.request.header.Authorization")
		all = append(all, &Authorizer{
			Declared: r.Name, ID: r.ID, Function: f.invoked(r, "authorizerUri"),
			Header:     r.headerIn("identitySource", source, "method.request.header."),
			Expression: readExpression(r, "identityValidationExpression"),
			// Default and range: https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html
			TTL: time.Duration(r.integer("authorizerResultTtlInSeconds", 300, 0, 3600)) * time.Second,
		})
	})
	return all
}
