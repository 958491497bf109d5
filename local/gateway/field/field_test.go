package field_test

import (
	"slices"
	"testing"

	"account-api/local/gateway/field"
)

func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{
		"X-Shelf": true, "x_shelf~1": true, "": false, "X Shelf": false, "X-Shelf:": false, "X-\u00e9": false, "X\r\nY": false,
	} {
		if got := field.ValidName(name); got != want {
			t.Errorf("%q: got %v", name, got)
		}
	}
}

func TestValidValue(t *testing.T) {
	for value, want := range map[string]bool{
		"": true, "a\tb": true, "\u00e9": true, "\xff": true, "a\r\nX-B: b": false, "a\x00": false, "\x7f": false,
	} {
		if got := field.ValidValue(value); got != want {
			t.Errorf("%q: got %v", value, got)
		}
	}
}

func TestList(t *testing.T) {
	if got, want := field.List("GET, Put", "", " ,x-a"), []string{"get", "put", "x-a"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
