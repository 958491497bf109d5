package endpoint_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing/fstest"
	"time"

	"account-api/internal/endpoint"
	"account-api/internal/endpoint/endpointtest"
)

// An endpoint that creates an order answers 201 and says where the order is. It reads the
// header that it declares. In a handler's main function, [endpoint.Serve] takes the Config.
func Example() {
	orders := endpoint.Config{
		Policy: fstest.MapFS{"orders/orders.rego": {Data: []byte(
			"package orders\n\ndecision := {\"allow\": true, \"reasons\": set()}\n\ndefault decision := {\"allow\": false, \"reasons\": set()}\n")}},
		Entrypoint: "orders/decision",
		Headers:    []string{"Accept"},
		Answer: func(_ context.Context, request endpoint.Request) (endpoint.Reply, error) {
			content, err := request.Content()
			if err != nil {
				return endpoint.Reply{}, err
			}
			if content.Header.Get("Accept") == "text/csv" {
				return endpoint.Reply{
					Header: http.Header{"Content-Type": {"text/csv; charset=utf-8"}},
					Body:   []byte("order\n7\n"),
				}, nil
			}
			return endpoint.Reply{
				Status: http.StatusCreated,
				Header: http.Header{"Location": {"/orders/7"}},
				Body:   []byte(`{"order":7}`),
			}, nil
		},
	}

	handler, err := endpoint.New(context.Background(), orders, endpoint.Environment{Log: io.Discard, Now: time.Now})
	if err != nil {
		fmt.Println(err)
		return
	}
	response, _ := handler.Invoke(context.Background(), []byte(endpointtest.Event(`{"principalId":"customer-1"}`)))
	fmt.Println(string(response))
	// Output:
	// {"statusCode":201,"headers":{"Content-Type":"application/json","Cache-Control":"no-store","Location":"/orders/7"},"body":"{\"order\":7}"}
}
