package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"account-api/bench/paired"
	"account-api/bench/report"
	"account-api/local/gateway"
	"account-api/local/gateway/gatewaytest"
	"account-api/local/lambda"
)

// gateway measures P12: a request to the gateway next to calling its two functions one after
// the other. Both are time on the clock.
func (b *bench) gateway(p *product) error {
	one, err := p.request.dial()
	if err != nil {
		return err
	}
	defer one.connection.Close()
	const calls = 50
	samples, err := b.compare("P12", 40,
		paired.Wall("the two functions", calls, func() error {
			for _, f := range []deployed{p.authorizer, p.endpoint} {
				result, err := p.pools[f.arn].Invoke(b.ctx, f.event)
				if err != nil || result.FunctionError != "" {
					return fmt.Errorf("expected an answer of %s, got %q: %v", f.name, result.FunctionError, err)
				}
			}
			return nil
		}),
		candidate{bar: 1.25, Variant: paired.Wall("a request", calls, func() error {
			status, err := one.send()
			if err == nil && status != p.status {
				err = fmt.Errorf("expected status %d from the local gateway, got %d", p.status, status)
			}
			return err
		})})
	if err != nil {
		return err
	}
	b.report.Add("P12", report.Row{Name: "a request", Unit: "ms here", Estimate: samples.Cost("a request").Times(1e-6)})
	if err := b.endpoints(); err != nil {
		return err
	}
	faults := 0
	for _, clients := range numbersOfClients {
		all, err := flood(p.request, clients, b.rounds(2000), 0)
		if err != nil {
			return err
		}
		faults += all.faults()
		b.report.Add("P12", report.Row{Name: "answers, " + plural(clients, "client"), Unit: "per second here", Estimate: report.Exactly(all.perSecond())})
	}
	b.report.Add("P12", report.Row{Name: "server errors among all of these", Unit: "answers", Estimate: report.Exactly(float64(faults)), Zero: true})
	return nil
}

// constant stands for functions that take no time.
type constant struct{ authorizer, endpoint string }

// Invoke implements [gateway.Functions].
func (c constant) Invoke(_ context.Context, arn string, _ []byte) (lambda.Result, error) {
	if arn == gatewaytest.FunctionARN("authorizer") {
		return lambda.Result{Payload: []byte(c.authorizer)}, nil
	}
	return lambda.Result{Payload: []byte(c.endpoint)}, nil
}

// endpoints measures the gateway's own processor time for a request, by the number of
// endpoints that the stack declares.
func (b *bench) endpoints() error {
	functions := constant{
		authorizer: `{"principalId":"reader","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
			`"Action":"execute-api:Invoke","Resource":"` + gatewaytest.ExecutionARN + `/*"}]},"context":{"scope":"read:books"}}`,
		endpoint: `{"statusCode":200,"body":"{}"}`,
	}
	request := httptest.NewRequest(http.MethodGet, "/live/books", nil)
	request.Header.Set("Authorization", "Bearer "+strings.Repeat("a", 100)+"."+strings.Repeat("b", 400)+"."+strings.Repeat("c", 342)) // the length of a token
	var variants []paired.Variant
	for _, number := range []int{1, 10, 100} {
		stack := gatewaytest.New()
		deployment, stage := stack.Resources[len(stack.Resources)-2], stack.Resources[len(stack.Resources)-1]
		stack.Resources = stack.Resources[:len(stack.Resources)-2]
		for i := range number - 1 {
			id := fmt.Sprintf("shelf%d", i)
			stack.Path(id, "root000000", id)
			stack.Method("get-"+id, id, http.MethodGet, gatewaytest.Inputs{"authorization": "CUSTOM", "authorizerId": "auth01"})
			stack.Proxy("get-"+id+"-integration", id, http.MethodGet, "books")
			stack.Permit("allow-"+id, "books", gatewaytest.ExecutionARN+"/*/GET/"+id)
		}
		stack.Add(deployment.Type, deployment.Name, deployment.ID, deployment.Inputs)
		stack.Resources = append(stack.Resources, stage)
		served, err := gateway.New(&stack.Graph, gateway.Options{Functions: functions})
		if err != nil {
			return err
		}
		variants = append(variants, paired.CPU("the gateway alone, "+plural(number, "endpoint"), func() error {
			answer := httptest.NewRecorder()
			if served.ServeHTTP(answer, request); answer.Code != http.StatusOK {
				return fmt.Errorf("expected status 200, got %d %s", answer.Code, answer.Body)
			}
			return nil
		}))
	}
	samples, err := b.compare("P12", 40, variants[0], candidate{Variant: variants[1]}, candidate{Variant: variants[2]})
	if err != nil {
		return err
	}
	b.report.Add("P12", report.Row{Name: variants[0].Name, Unit: "µs CPU here", Estimate: samples.Cost(variants[0].Name).Times(1e-3)})
	return nil
}
