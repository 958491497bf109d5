package console

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// part is one of the two JSON objects of a token.
func part(t *testing.T, token string, n int) map[string]any {
	t.Helper()
	content, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[n])
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(content, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func (f *fixture) prepare(t *testing.T, form url.Values) prepared {
	t.Helper()
	a := f.post(t, "/prepare", form)
	var p prepared
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.status != 200 {
		t.Fatalf("expected a header, got %d %s", a.status, a.body)
	}
	return p
}

func form(preset string) url.Values {
	return url.Values{"preset": {preset}, "expiry": {"60"}, "audience": {audience}, "scope": {"read:seats", "a b"}, "permissions": {"p q"}, "sub": {" jo "}, "azp": {"spa"}, "claims": {`{"org":{"id":7}}`}}
}

func TestGoodToken(t *testing.T) {
	f := serve(t, true)
	before := time.Now()
	token, found := strings.CutPrefix(f.prepare(t, form("good")).Authorization, "Bearer ")
	if !found {
		t.Fatal("expected a bearer token")
	}
	claims := part(t, token, 1)
	if claims["scope"] != "read:seats a b" || claims["aud"] != audience || claims["iss"] != "http://127.0.0.1:8081/" ||
		fmt.Sprint(claims["permissions"]) != "[p q]" || claims["sub"] != "jo" || claims["azp"] != "spa" || fmt.Sprint(claims["org"]) != "map[id:7]" {
		t.Errorf("expected what the form says, got %v", claims)
	}
	if exp := time.Unix(int64(claims["exp"].(float64)), 0); exp.Before(before.Add(50*time.Second)) || exp.After(time.Now().Add(time.Minute)) {
		t.Errorf("expected it to expire in a minute, got %v", exp.Sub(before))
	}
	t.Run("no scope chosen is none, and not all", func(t *testing.T) {
		bare := form("good")
		bare.Del("scope")
		if scope, has := part(t, f.prepare(t, bare).Authorization, 1)["scope"]; has {
			t.Errorf("expected no scope claim, got %v", scope)
		}
	})
	t.Run("an expiry in the past", func(t *testing.T) {
		late := form("good")
		late.Set("expiry", "-60")
		if exp := part(t, f.prepare(t, late).Authorization, 1)["exp"].(float64); int64(exp) >= before.Unix() {
			t.Errorf("expected it to have expired, got %v", exp)
		}
	})
	t.Run("what the form cannot say is refused", func(t *testing.T) {
		for name, value := range map[string]string{"preset": "other", "expiry": "soon", "claims": "[]"} {
			wrong := form("good")
			wrong.Set(name, value)
			if a := f.post(t, "/prepare", wrong); a.status != 400 {
				t.Errorf("%s %q: expected 400, got %d %s", name, value, a.status, a.body)
			}
		}
	})
}

// TestBrokenTokens checks that each preset is broken as its title says.
func TestBrokenTokens(t *testing.T) {
	f := serve(t, true)
	good := strings.TrimPrefix(f.prepare(t, form("good")).Authorization, "Bearer ")
	kid := part(t, good, 0)["kid"]
	current := func() any {
		return part(t, strings.TrimPrefix(f.prepare(t, form("good")).Authorization, "Bearer "), 0)["kid"]
	}
	checks := map[string]func(value, token string) bool{
		"good":    func(value, token string) bool { return value == "Bearer "+token },
		"without": func(value, _ string) bool { return value == "" },
		"denied": func(_, token string) bool {
			return part(t, token, 1)["scope"] == "book:seats" && part(t, token, 1)["aud"] == audience
		},
		"former": func(_, token string) bool {
			return part(t, token, 0)["kid"] == kid && current() != kid && part(t, token, 1)["sub"] == "jo"
		},
		"expired": func(_, token string) bool {
			return part(t, token, 1)["exp"].(float64) < float64(time.Now().Add(-50*time.Minute).Unix())
		},
		"audience": func(_, token string) bool {
			return part(t, token, 1)["aud"] == otherAudience && part(t, token, 0)["kid"] == current()
		},
		"issuer": func(_, token string) bool {
			return part(t, token, 1)["iss"] != part(t, good, 1)["iss"] && part(t, token, 0)["kid"] != kid
		},
		"claims":    func(_, token string) bool { return part(t, token, 1)["sub"] == "somebody-else" },
		"signature": func(_, token string) bool { return part(t, token, 0)["alg"] == "ES256" },
		"none":      func(_, token string) bool { return part(t, token, 0)["alg"] == "none" && strings.HasSuffix(token, ".") },
		"nonesigned": func(_, token string) bool {
			return part(t, token, 0)["alg"] == "none" && !strings.HasSuffix(token, ".")
		},
		"symmetric": func(_, token string) bool { return part(t, token, 0)["alg"] == "HS256" },
		"kid":       func(_, token string) bool { return part(t, token, 0)["kid"] != kid },
		"kidless":   func(_, token string) bool { _, has := part(t, token, 0)["kid"]; return !has },
		"lowercase": func(value, token string) bool { return value == "bearer "+token },
		"spaces":    func(value, token string) bool { return value == "Bearer  "+token },
		"basic":     func(value, token string) bool { return value == "Basic "+token },
		"word":      func(value, _ string) bool { return value == "Bearer not-a-token" },
	}
	presets := presetsFor(f.options.Stack())
	for _, p := range presets {
		t.Run(p.Title, func(t *testing.T) {
			value := f.prepare(t, form(p.ID)).Authorization
			_, token, _ := strings.Cut(value, " ")
			check, known := checks[p.ID]
			if !known || !check(value, strings.TrimSpace(token)) {
				t.Errorf("expected another header for %s", p.ID) // whose value stays out of logs
			}
		})
	}
	if len(checks) != len(presets) {
		t.Errorf("expected a check for each preset, got %d for %d", len(checks), len(presets))
	}
}

func TestTamper(t *testing.T) {
	for token, want := range map[string]string{"a.b.Ax": "a.b.Bx", "a.b.Bx": "a.b.Ax", "a.b.zx": "a.b.Ax"} {
		if got, err := tamper(token); err != nil || got != want {
			t.Errorf("expected %s, got %s, %v", want, got, err)
		}
	}
}
