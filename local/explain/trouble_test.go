package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The program says more of a setting than the provider can, which may not answer at all.
func TestWarningsOfTheProgramAreShown(t *testing.T) {
	provider := httptest.NewServer(http.NotFoundHandler())
	defer provider.Close()
	for issuer, warns := range map[string]bool{provider.URL + "/a://YOUR_DOMAIN/": true, provider.URL + "/": false} {
		status, out := explained(t, "", ours("-config", "issuer="+issuer)...)
		if said := strings.Contains(out, "warns: issuer is still the example's: "); status != 1 || said != warns {
			t.Errorf("%s: expected a warning: %t, got %d\n%s", issuer, warns, status, out)
		}
	}
}
