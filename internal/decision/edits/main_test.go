package main

import (
	"bytes"
	"cmp"
	"net/http"
	"os"
	"strings"
	"testing"
)

func TestCommandsAgreeAboutEveryEdit(t *testing.T) {
	tried, err := tryAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(tried) < 40 {
		t.Errorf("got %d edits, want 40 or more", len(tried))
	}
	for _, v := range tried {
		t.Run(v.name, func(t *testing.T) {
			refuses := v.want == refused
			if v.MakeTest.Refuses != refuses || v.Run.Refuses != refuses || v.Build.Refuses != refuses {
				t.Errorf("want refused %t; make test %v, make run %v, make build %v: %s", refuses, v.MakeTest, v.Run, v.Build, v.Build.Message)
			}
			if refuses && v.settings == "" && (v.Denied != http.StatusInternalServerError || v.Allowed != http.StatusInternalServerError) {
				t.Errorf("the handler accepts what is refused: it answers %d and %d", v.Denied, v.Allowed)
			}
			for _, message := range []string{v.MakeTest.Message, v.Build.Message} {
				if !strings.Contains(message, v.message) || refuses && v.message == "" {
					t.Errorf("expected %q in %s", v.message, message)
				}
			}
			if fails := v.MakeTest.Fails != ""; fails != (v.want == untested) {
				t.Errorf("make test says %v, want that it finds fault %t", v.MakeTest, v.want == untested)
			}

			// None fails open: who must not get in does not, unless a test fails.
			want := cmp.Or(v.status, http.StatusForbidden)
			if refuses && v.settings == "" {
				want = cmp.Or(v.status, http.StatusInternalServerError)
			}
			if v.Denied != want || want == http.StatusOK && v.want != untested {
				t.Errorf("the handler answers %d to who must not get in, want %d", v.Denied, want)
			}

			// Stock opa accepts more only where the page says why.
			silent := !v.Check.Refuses && (refuses || !v.Test.Refuses && v.Test.Fails == "")
			if lax := silent && v.want != serves; lax != (v.stock != "") {
				t.Errorf("opa check %v, opa test %v, ours %v: accepts more %t, but the reason is %q", v.Check, v.Test, v.MakeTest, lax, v.stock)
			}
			if strict := v.want == serves && (v.Check.Refuses || v.Test.String() != "accepts"); strict != (v.stricter != "") {
				t.Errorf("opa check %v, opa test %v: refuses more %t, but the reason is %q", v.Check, v.Test, strict, v.stricter)
			}
		})
	}
	want, err := page(tried)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("../../../docs/policy-edits.md"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/policy-edits.md is not what make docs writes: %v", err)
	}
}
