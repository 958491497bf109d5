package infra

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// routes are the API's methods, the preflights of their paths, and the functions
// behind them.
type routes struct {
	stack     *stack
	api       *api
	paths     map[string]*apigateway.Resource // by path
	handlers  []handler                       // in the order of the endpoints
	published published
	// permissions let API Gateway invoke the functions.
	permissions []pulumi.Resource
}

func (s *stack) newRoutes(a *api, auth *authorizer, endpoints []endpoint) (*routes, error) {
	r := &routes{stack: s, api: a, paths: map[string]*apigateway.Resource{}}
	for _, e := range endpoints {
		if err := r.add(e, auth); err != nil {
			return nil, err
		}
	}
	for _, path := range paths(endpoints) {
		if err := r.addPreflight(path, methodsOf(path, endpoints)); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// handler is a function and the component of everything that only its endpoints use.
type handler struct {
	*function
	directory string
	component *stack
}

// functions are those behind the endpoints, in the order of the endpoints.
func (r *routes) functions() []*function {
	var all []*function
	for _, h := range r.handlers {
		all = append(all, h.function)
	}
	return all
}

// add declares an endpoint: the method, the function behind it, and the permission for
// exactly this method of exactly this stage to invoke it.
func (r *routes) add(e endpoint, auth *authorizer) error {
	resource, err := r.resource(e.path)
	if err != nil {
		return err
	}
	h, err := r.handler(e)
	if err != nil {
		return err
	}
	s := h.component
	method, err := publish(s, &r.published, apigateway.NewMethod, "method "+e.name(), e.name(), &apigateway.MethodArgs{
		RestApi:            r.api.ID(),
		ResourceId:         resource.ID(),
		HttpMethod:         pulumi.String(e.method),
		Authorization:      pulumi.String("CUSTOM"),
		AuthorizerId:       auth.ID(),
		RequestValidatorId: r.api.validator.ID(),
	})
	if err != nil {
		return err
	}
	_, err = publish(s, &r.published, apigateway.NewIntegration, "integration "+e.name(), e.name(), &apigateway.IntegrationArgs{
		RestApi:    r.api.ID(),
		ResourceId: resource.ID(),
		HttpMethod: method.HttpMethod,
		Type:       pulumi.String("AWS_PROXY"),
		// Lambda is invoked by POST, whatever the method's own verb.
		IntegrationHttpMethod: pulumi.String("POST"),
		Uri:                   h.alias.InvokeArn,
	})
	if err != nil {
		return err
	}
	permission, err := s.newPermission(e.name(), h.function, pulumi.Sprintf("%s/%s/%s", r.api.ExecutionArn, s.ctx.Stack(), e.source()))
	r.permissions = append(r.permissions, permission)
	return err
}

// handler is the endpoint's, which endpoints with the same directory share.
func (r *routes) handler(e endpoint) (handler, error) {
	for _, h := range r.handlers {
		if h.directory == e.handler {
			return h, nil
		}
	}
	s, err := r.stack.component("Endpoint", path.Base(e.handler))
	if err != nil {
		return handler{}, err
	}
	set := settings{memory: e.memory, timeout: e.timeout, environment: pulumi.StringMap{
		"ALLOWED_ORIGIN": pulumi.String(s.config.AllowedOrigin),
	}}
	if e.needs != nil {
		needed, err := e.needs(s)
		if err != nil {
			return handler{}, err
		}
		if err := checkVariables(needed.environment); err != nil {
			return handler{}, fmt.Errorf("endpoint %s %s: %w", e.method, e.path, err)
		}
		maps.Copy(set.environment, needed.environment)
		set.allow = needed.allow
	}
	f, err := s.newFunction(e.handler, e.description, set)
	if err != nil {
		return handler{}, err
	}
	h := handler{f, e.handler, s}
	r.handlers = append(r.handlers, h)
	return h, nil
}

// reservedVariable is a variable that Lambda or this program sets, or that only a local
// run may set:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
var reservedVariable = regexp.MustCompile(`^(ALLOWED_ORIGIN|EXPLAIN_DENIALS|GOMAXPROCS|_.*|LAMBDA_.*|` +
	`AWS_(LAMBDA_.*|ACCESS_KEY|ACCESS_KEY_ID|DEFAULT_REGION|EXECUTION_ENV|REGION|SECRET_ACCESS_KEY|SESSION_TOKEN))$`)

// checkVariables refuses names that an endpoint must not set.
func checkVariables(environment pulumi.StringMap) error {
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		if reservedVariable.MatchString(name) {
			return fmt.Errorf("the environment variable %s is reserved; give it another name", name)
		}
	}
	return nil
}

// resource is the resource of a path, below those of its parents. Methods and longer
// paths share it.
func (r *routes) resource(whole string) (*apigateway.Resource, error) {
	if resource, declared := r.paths[whole]; declared {
		return resource, nil
	}
	parent := r.api.RootResourceId
	above, part := path.Split(whole)
	if above != "" {
		resource, err := r.resource(strings.TrimSuffix(above, "/"))
		if err != nil {
			return nil, err
		}
		parent = resource.ID().ToStringOutput()
	}
	name := resourceName(whole)
	resource, err := publish(r.stack, &r.published, apigateway.NewResource, "resource "+name, name, &apigateway.ResourceArgs{
		RestApi:  r.api.ID(),
		ParentId: parent,
		PathPart: pulumi.String(part),
	})
	r.paths[whole] = resource
	return resource, err
}
