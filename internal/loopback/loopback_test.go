package loopback_test

import (
	"testing"

	"account-api/internal/loopback"
)

func TestIs(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.255.0.9": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "localhost.": false, "localhost.example.com": false, "127.0.0.1.example.com": false, "127.1": false,
		"0.0.0.0": false, "10.0.0.1": false, "::": false, "[::1]": false, "127.0.0.1:80": false,
	} {
		if got := loopback.Is(host); got != want {
			t.Errorf("%q: expected %t, got %t", host, want, got)
		}
	}
}
