// Package environment reads what a verifier expects from environment variables. The authorizer
// starts with it, a preview checks settings with it, and make explain explains with it.
package environment

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token"
)

// Trust is what the verifier expects, and where the issuers' keys are.
type Trust struct {
	token.Expectation
	JWKSURIs []string // of the issuers, in their order
}

// Read reads JWKS_URI, TOKEN_ISSUER and AUDIENCE, which have to be there, and PROVIDER,
// OTHER_ISSUERS, ALGORITHMS and CLAIMS. Each error is a [refusal.ConfigError] that names the
// variable, or every one that is missing: with no audience, tokens for any API would do.
func Read(getenv func(string) string) (Trust, error) {
	var missing []string
	for _, name := range []string{"JWKS_URI", "TOKEN_ISSUER", "AUDIENCE"} {
		if strings.TrimSpace(getenv(name)) == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return Trust{}, refusal.New(refusal.ConfigError, "environment variable %s is not set", strings.Join(missing, ", "))
	}
	t := Trust{}
	for _, variable := range []struct {
		name string
		read func(string) error
	}{
		{"TOKEN_ISSUER", func(name string) error { return token.Issuer{Name: name, Audiences: []string{"any"}}.Check() }},
		{"PROVIDER", func(name string) error {
			return token.Issuer{Name: "any", Audiences: []string{"any"}, Provider: name}.Check()
		}},
		{"AUDIENCE", func(text string) error {
			first := token.Issuer{Name: getenv("TOKEN_ISSUER"), Audiences: strings.Split(text, " "), Provider: getenv("PROVIDER")}
			return t.add(first, getenv("JWKS_URI"))
		}},
		{"OTHER_ISSUERS", t.readOthers},
		{"ALGORITHMS", t.readAlgorithms},
		{"CLAIMS", func(text string) error {
			t.PassOn = strings.Split(text, " ")
			_, err := token.NewVerifier(t.Expectation)
			return err
		}},
	} {
		if value := getenv(variable.name); value != "" {
			err := variable.read(value)
			if refused, ok := errors.AsType[*refusal.Error](err); ok {
				err = errors.New(refused.Detail)
			}
			if err != nil {
				return Trust{}, refusal.New(refusal.ConfigError, "%s: %v", variable.name, err)
			}
		}
	}
	return t, nil
}

// add adds an issuer.
func (t *Trust) add(issuer token.Issuer, jwksURI string) error {
	if err := issuer.Check(); err != nil {
		return err
	}
	for _, other := range t.Issuers {
		if other.Name == issuer.Name {
			return fmt.Errorf("expected each issuer once, got %q twice", issuer.Name)
		}
	}
	t.Issuers = append(t.Issuers, issuer)
	t.JWKSURIs = append(t.JWKSURIs, jwksURI)
	return nil
}

// readOthers reads a JSON array of further issuers. Each has its own audience, provider and
// keys.
func (t *Trust) readOthers(text string) error {
	var entries []struct {
		Issuer   string         `json:"issuer"`
		Audience jsontext.Value `json:"audience"`
		Provider string         `json:"provider"`
		JWKSURI  string         `json:"jwksUri"`
	}
	if err := json.Unmarshal([]byte(text), &entries, json.RejectUnknownMembers(true)); err != nil || strings.TrimSpace(text) == "null" {
		return errors.New("expected a JSON array of objects with issuer, audience, provider and jwksUri, got something else")
	}
	for i, entry := range entries {
		var audiences []string
		if entry.Audience.Kind() == '"' {
			audiences = make([]string, 1)
			_ = json.Unmarshal(entry.Audience, &audiences[0]) // valid, as it was read above
		} else if len(entry.Audience) > 0 && json.Unmarshal(entry.Audience, &audiences) != nil {
			return fmt.Errorf("entry %d: expected audience as a string or an array of strings, got another type", i+1)
		}
		err := t.add(token.Issuer{Name: entry.Issuer, Audiences: audiences, Provider: entry.Provider}, entry.JWKSURI)
		if err == nil && entry.JWKSURI == "" {
			err = errors.New("expected a jwksUri, got none")
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	return nil
}

func (t *Trust) readAlgorithms(text string) error {
	names := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
	for _, name := range names {
		if !signature.Known(name) {
			return fmt.Errorf("expected algorithms among %v, got %q", signature.Algorithms(), name)
		}
		t.Algorithms = append(t.Algorithms, signature.Algorithm(name))
	}
	if len(names) == 0 {
		return fmt.Errorf("expected algorithms among %v, got none", signature.Algorithms())
	}
	return nil
}
