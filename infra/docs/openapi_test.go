package main

import (
	"encoding/json"
	"strings"
	"testing"

	"account-api/local/graph"
)

func TestOpenAPI(t *testing.T) {
	shop := func(kind, name, id string, inputs object) graph.Resource {
		r := graph.Resource{Type: kind, Name: name, ID: id, Inputs: inputs, Outputs: inputs}
		return r
	}
	g := &graph.Graph{Project: "shop", Stack: "test", Region: "eu-west-1", Resources: []graph.Resource{
		shop("aws:apigateway/restApi:RestApi", "api", "a", object{"description": "A shop", "rootResourceId": "root"}),
		shop("aws:apigateway/resource:Resource", "order", "r1", object{"parentId": "r0", "pathPart": "{id}"}),
		shop("aws:apigateway/resource:Resource", "orders", "r0", object{"parentId": "root", "pathPart": "orders"}),
		shop("aws:apigateway/method:Method", "GET-orders", "m1", object{"resourceId": "r1", "httpMethod": "GET", "authorization": "CUSTOM",
			"requestParameters": object{"method.request.querystring.page": true, "method.request.header.Authorization": true}}),
		shop("aws:apigateway/integration:Integration", "GET-orders", "i1", object{"resourceId": "r1", "httpMethod": "GET", "uri": "arn:…:function:shop-test-orders:live/invocations"}),
		shop("aws:lambda/function:Function", "orders", "f1", object{"name": "shop-test-orders", "description": "Answers with an order"}),
		shop("aws:apigateway/method:Method", "OPTIONS-orders", "m2", object{"resourceId": "r1", "httpMethod": "OPTIONS", "authorization": "NONE"}),
		shop("aws:apigateway/methodResponse:MethodResponse", "OPTIONS-orders", "m3", object{"resourceId": "r1", "httpMethod": "OPTIONS", "statusCode": "204"}),
		shop("aws:apigateway/method:Method", "POST-root", "m4", object{"resourceId": "root", "httpMethod": "POST", "authorization": "NONE"}),
	}}
	text, err := openAPI(g)
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			Summary    string
			Security   []any
			Parameters []struct {
				Name, In string
				Required bool
			}
			Responses map[string]any
		}
		Components struct{ Responses, Schemas map[string]any }
	}
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	get, options, post := document.Paths["/orders/{id}"]["get"], document.Paths["/orders/{id}"]["options"], document.Paths["/"]["post"]
	if get.Summary != "Answers with an order" || len(get.Security) != 1 || len(options.Security) != 0 || len(post.Security) != 0 {
		t.Errorf("expected only GET to need a token, got:\n%s", text)
	}
	if len(get.Parameters) != 2 || get.Parameters[0].In != "path" || get.Parameters[1].Name != "page" || !get.Parameters[1].Required {
		t.Errorf("expected the path's and the query's parameter, got %+v", get.Parameters)
	}
	for _, row := range []struct {
		of       map[string]any
		statuses string
	}{
		{get.Responses, "2XX 400 401 403 404 413 429 500 502 503 504"},
		{options.Responses, "204"},
		{post.Responses, "2XX 413 429 500 502 503 504"},
	} {
		statuses := strings.Fields(row.statuses)
		for _, status := range statuses {
			if row.of[status] == nil {
				t.Errorf("expected a response %s, got %v", status, row.of)
			}
		}
		if len(row.of) != len(statuses) {
			t.Errorf("expected the responses %s, got %v", row.statuses, row.of)
		}
	}
	// Every reference has a target.
	for _, part := range strings.Split(text, `"#/components/`)[1:] {
		kind, rest, _ := strings.Cut(part, "/")
		name, _, _ := strings.Cut(rest, `"`)
		if of := map[string]map[string]any{"responses": document.Components.Responses, "schemas": document.Components.Schemas}[kind]; of[name] == nil {
			t.Errorf("expected a component %s/%s, got none", kind, name)
		}
	}
}
