package gateway

import (
	"regexp"
	"time"

	"account-api/local/graph"
)

// api is a REST API as the stack declares it, ready to be served. It is built once
// and only read afterwards.
type api struct {
	id, name, region, account string
	executionARN              string // arn:aws:execute-api:REGION:ACCOUNT:API
	stages                    map[string]*stage
	root                      *resource
	authorizers               map[string]*authorizer // by ID
	responses                 map[string]*gatewayResponse
	permissions               []permission
	functions                 map[string]*function // by ARN
}

type stage struct {
	declared     graph.Resource
	name         string
	deploymentID string
	variables    map[string]string
	limits       []limit // most specific first
}

// resource is one node of the path tree.
type resource struct {
	id, path  string
	parameter string // name of the path parameter that this node binds; "" for a static part
	static    map[string]*resource
	variable  *resource          // {name}
	greedy    *resource          // {name+}
	methods   map[string]*method // by verb; "ANY" for every verb
}

type method struct {
	declared      graph.Resource
	resource      *resource
	verb          string // "ANY" for every verb
	operationName string
	authorizer    *authorizer // nil = open
	required      []parameter // what the request validator insists on
	integration   *integration
	responses     map[string]methodResponse // by status
}

// parameter is where a value of the request is: a header, a query string or a path
// parameter.
type parameter struct{ in, name string }

type methodResponse struct {
	declared graph.Resource
	headers  map[string]bool // declared header name → required
}

type authorizer struct {
	declared   graph.Resource
	id, name   string
	function   *function
	header     string         // identity source
	expression *regexp.Regexp // nil = any value that is not empty
	source     string         // the expression as it was declared
	ttl        time.Duration  // 0 = results are not cached
}

type integration struct {
	declared    graph.Resource
	mock        bool
	function    *function // AWS_PROXY only
	httpMethod  string    // AWS_PROXY only: how the function is called
	timeout     time.Duration
	passthrough string
	templates   map[string]mockTemplate // MOCK only: by content type
	responses   []integrationResponse   // MOCK only
}

type integrationResponse struct {
	declared graph.Resource
	pattern  *regexp.Regexp // nil = the default
	status   int
	headers  map[string]string // header → literal value
	body     string
}

type function struct {
	name, arn   string
	environment map[string]string
}

// permission is one statement of a function's resource policy.
type permission struct {
	declared                                                         graph.Resource
	action, function, principal, sourceARN, sourceAccount, qualifier string
}
