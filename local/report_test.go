package main

import (
	"bytes"
	"strings"
	"testing"

	"account-api/local/gateway"
	"account-api/local/lambda"
	"account-api/local/running"
)

func TestNoTokenOfAURLIsWritten(t *testing.T) {
	var out bytes.Buffer
	r := newReport(&out, &out, true)
	if err := r.logTo(t.TempDir() + "/functions.log"); err != nil {
		t.Fatal(err)
	}
	defer r.close()
	r.exchange(gateway.Exchange{Method: "GET", Path: "/live/seats/" + aToken, Status: 404})
	r.line(lambda.Line{Function: "seats", Text: `{"query":{"access_token":["` + aToken + `"]}}`})
	r.reloaded("nothing of it")
	logged := running.Read(t, r.logPath)
	for name, text := range map[string]string{"terminal": out.String(), "functions' log": logged} {
		if strings.Contains(text, "eyJ") || strings.Contains(text, "c2ln") {
			t.Errorf("expected no part of a token in the %s, got:\n%s", name, text)
		}
		if !strings.Contains(text, "[token]") {
			t.Errorf("expected the %s to say where a token was, got:\n%s", name, text)
		}
	}
}
