package infra

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"account-api/internal/loopback"
)

// checkIssuer refuses an issuer that no token of the provider can name. The iss claim is
// compared byte for byte (RFC 7519 section 4.1.1): without its slash, every token is
// refused.
func checkIssuer(issuer, provider string) error {
	if err := checkHTTPS(issuer); err != nil {
		return err
	}
	u, err := url.Parse(issuer)
	if err != nil {
		return err
	}
	if u.RawQuery != "" || u.ForceQuery {
		u.RawQuery, u.ForceQuery = "", false
		return fmt.Errorf("an issuer has no query (OpenID Connect Core 1.0 section 2), got %q; set %q", issuer, u)
	}
	if strings.HasSuffix(strings.ToLower(u.Hostname()), ".auth0.com") && u.Path != "/" {
		u.Path = "/"
		return fmt.Errorf("Auth0's issuer is the tenant's host and a slash, got %q; set %q", issuer, u)
	}
	if form := issuerForms[provider]; form != nil && !loopback.Is(u.Hostname()) && !form.MatchString(issuer) {
		return fmt.Errorf("expected the form of %s's issuers, %s, got %q; set one, or another provider", provider, form, issuer)
	}
	return nil
}

// checkAudiences demands one audience or more. Each is passed on between spaces.
func checkAudiences(setting string, audiences []string) error {
	if len(audiences) == 0 {
		return fmt.Errorf(`expected the API's identifier at the provider, got nothing; set for example %s "https://orders.example.com"`, setting)
	}
	for _, audience := range audiences {
		switch words := strings.Fields(audience); {
		case len(words) == 0:
			return fmt.Errorf(`expected the API's identifier at the provider, got nothing; set for example %s "https://orders.example.com"`, setting)
		case len(words) > 1:
			return fmt.Errorf("expected no space in it, got %q; set several as a list: pulumi config set --path '%s[1]' %s", audience, setting, words[1])
		case words[0] != audience:
			return fmt.Errorf("expected no space around it, got %q; set %q", audience, words[0])
		}
	}
	return nil
}

// checkHTTPS accepts an absolute https URL. It accepts http for a loopback host, for a
// local run with an issuer on the same machine. A deployed stack reaches no such issuer,
// and refuses everybody.
func checkHTTPS(raw string) error {
	if strings.TrimSpace(raw) != raw {
		return fmt.Errorf("expected no space around it, got %q; set %q", raw, strings.TrimSpace(raw))
	}
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return errors.New(`expected an https URL, got nothing; set for example "https://TENANT.eu.auth0.com/"`)
	case err != nil:
		return fmt.Errorf("expected an https URL, got %q, which does not parse", raw)
	case u.User != nil:
		return fmt.Errorf("expected an https URL without user or password; set %q", (&url.URL{Scheme: "https", Host: u.Host, Path: u.Path}))
	case u.Fragment != "" || strings.Contains(raw, "#"):
		u.Fragment, u.RawFragment = "", ""
		return fmt.Errorf("expected no fragment, got %q; set %q", raw, strings.TrimSuffix(u.String(), "#"))
	case u.Scheme == "" && u.Host == "":
		return fmt.Errorf("expected an https URL, got %q; set %q", raw, "https://"+strings.TrimLeft(raw, "/"))
	case u.Host == "":
		return fmt.Errorf("expected an https URL with a host, got %q; set for example %q", raw, "https://TENANT.eu.auth0.com/")
	case u.Scheme == "http" && !loopback.Is(u.Hostname()), u.Scheme != "http" && u.Scheme != "https":
		u.Scheme = "https"
		return fmt.Errorf("expected https, got %q; set %q", raw, u)
	}
	return nil
}
