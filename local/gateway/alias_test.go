package gateway

import (
	"testing"

	"account-api/local/gateway/gatewaytest"
)

func TestAliasIsInvokedByItsARN(t *testing.T) {
	for name, function := range map[string]string{
		"by a qualifier":            "books",
		"as part of the name":       "books:stable",
		"as part of the ARN":        gatewaytest.FunctionARN("books:stable"),
		"in a partial ARN":          gatewaytest.Account + ":function:books:stable",
		"by a qualifier, of an ARN": gatewaytest.FunctionARN("books"),
	} {
		t.Run("permitted "+name, func(t *testing.T) {
			s := gatewaytest.New().Alias("stable").Set("allow-books", "function", function)
			if function == "books" || function == gatewaytest.FunctionARN("books") {
				s.Set("allow-books", "qualifier", "stable")
			}
			f := newFakes()
			f.answer["stable"] = f.answer["books"]
			srv := serve(t, s, f)
			if got := srv.get("Authorization", bearer); got.status != 200 || f.calls("stable") != 1 || f.calls("books") != 0 {
				t.Errorf("expected 200 by the alias, got %d: %s", got.status, got.exchange)
			}
		})
	}
}
