package gateway

import (
	"strings"
	"testing"

	"account-api/local/gateway/gatewaytest"
	"account-api/local/graph"
)

func TestNewNeedsFunctions(t *testing.T) {
	if _, err := New(&gatewaytest.New().Graph, Options{}); err == nil || !strings.Contains(err.Error(), "Functions is nil") {
		t.Errorf("got %v", err)
	}
}

func TestGraphThatWasWrittenAndReadIsServedAlike(t *testing.T) {
	s := gatewaytest.New()
	var text strings.Builder
	if err := s.Graph.Write(&text); err != nil {
		t.Fatal(err)
	}
	read, err := graph.Read(strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	srv := serve(t, &stack{Graph: *read}, newFakes())
	if got := srv.get("Authorization", bearer); got.status != 200 || got.body != `{"title":"Añil"}` {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
