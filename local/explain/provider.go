package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"account-api/internal/jwks"
	"account-api/internal/signature"
)

// maxDocument, in bytes, is what is read of a provider's answer.
const maxDocument = 150_000

// checkProvider compares the settings with what the issuers publish: the discovery document
// (OpenID Connect Discovery 1.0, section 4) and the key set.
func checkProvider(s settings, a authorizer) report {
	r := report{Stack: s.stack, Outcome: agree, Summary: "the settings are as the provider publishes"}
	for _, warning := range a.warnings {
		r.Notes = append(r.Notes, note{"program", "warns: " + warning})
	}
	of := ""
	say := func(ok bool, what, found, fix string) {
		l := line{Of: of, Check: what, Result: passed, Detail: found}
		if !ok {
			l.Result, l.Fix = failed, fix
			r.Outcome, r.Summary = differ, "the settings are not as the provider publishes"
		}
		r.Checks = append(r.Checks, l)
	}
	algorithms := a.Algorithms
	if len(algorithms) == 0 {
		algorithms = []signature.Algorithm{signature.RS256}
	}
	for i, issuer := range a.Issuers {
		of = issuer.Name
		address := strings.TrimSuffix(issuer.Name, "/") + "/.well-known/openid-configuration"
		var discovery struct {
			Issuer     string   `json:"issuer"`
			JWKSURI    string   `json:"jwks_uri"`
			Algorithms []string `json:"id_token_signing_alg_values_supported"`
		}
		document, err := download(address)
		if err == nil {
			err = json.Unmarshal(document, &discovery)
		}
		if err != nil {
			say(false, "discovery", fmt.Sprintf("%s: %v", address, err), "check the setting issuer, and that this machine reaches it: curl -i "+address+unverified(err))
		} else {
			say(discovery.Issuer == issuer.Name, "issuer", fmt.Sprintf("%q", discovery.Issuer), fmt.Sprintf("pulumi config set issuer %s", discovery.Issuer))
			say(discovery.JWKSURI == a.JWKSURIs[i], "jwks_uri", fmt.Sprintf("%q", discovery.JWKSURI),
				fmt.Sprintf("the setting is %q; pulumi config set jwksUri %s", a.JWKSURIs[i], discovery.JWKSURI))
			// The document names them for ID tokens only. Access tokens have the same keys.
			known := slices.ContainsFunc(algorithms, func(a signature.Algorithm) bool { return slices.Contains(discovery.Algorithms, string(a)) })
			say(known, "algorithms", strings.Join(discovery.Algorithms, ", "), "name one of them in the setting algorithms")
		}
		var set jwks.Set
		if document, err = download(a.JWKSURIs[i]); err == nil {
			set, err = jwks.Parse(document, algorithms...)
		}
		if err != nil {
			say(false, "key set", fmt.Sprintf("%s: %v", a.JWKSURIs[i], err), "check the setting jwksUri: curl -i "+a.JWKSURIs[i]+unverified(err))
		} else {
			say(set.Len() > 0, "key set", fmt.Sprintf("%d usable keys for %v", set.Len(), algorithms), "compare the keys' alg with the setting algorithms")
		}
	}
	return r
}

// unverified is what else to do if a server's certificate was the problem.
func unverified(err error) string {
	if !errors.As(err, new(*tls.CertificateVerificationError)) {
		return ""
	}
	return "; if a proxy in between has certificates of its own CA, name that CA's file in SSL_CERT_FILE"
}

// download is a GET request for a small document. As in the function, no redirect is followed.
func download(address string) ([]byte, error) {
	client := &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Get(address)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d, want 200", response.StatusCode)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxDocument))
}
