package declaration

import (
	"time"
)

// The integration timeout that AWS allows without a raised quota, in milliseconds.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const (
	shortestIntegration = 50
	longestIntegration  = 29_000 // also the default
)

// Integration is what answers a method: a Lambda proxy or a mock.
type Integration struct {
	Declared   string    // logical name in the program
	Mock       *Mock     // nil for a Lambda proxy
	Function   *Function // nil for a mock
	HTTPMethod string    // how the function is called
	Timeout    time.Duration
}

func readIntegration(d declared, f functions) *Integration {
	i := &Integration{Declared: d.Name, HTTPMethod: d.text("integrationHttpMethod", ""),
		Timeout: time.Duration(d.integer("timeoutMilliseconds", longestIntegration, shortestIntegration, longestIntegration)) * time.Millisecond}
	switch d.text("type", "") {
	case "":
		d.refuse("type", "is missing: say AWS_PROXY or MOCK")
	case "MOCK":
		i.Mock = readMock(d)
		return i
	}
	i.Function = f.invoked(d, "uri")
	if i.HTTPMethod == "" {
		d.refuse("integrationHttpMethod", "is missing: a function is called with POST")
	}
	return i
}
