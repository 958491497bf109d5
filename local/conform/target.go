package main

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"account-api/internal/loopback"
)

// place is where an API runs, as far as its host's name tells.
type place string

const (
	onThisMachine place = "this machine"
	onAWS         place = "API Gateway" // an execute-api host, or a domain that the stack declares
	elsewhere     place = "a host that API Gateway did not name"
)

// target is the API under test.
type target struct {
	url   *url.URL // as given, without a trailing slash
	place place
	base  string // of the URL's path: what stands before the declared paths
	stage string // "" where the URL names none, as that of a custom domain
}

// executeAPI is a host that API Gateway names itself.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
var executeAPI = regexp.MustCompile(`^[0-9a-z]+(?:-vpce-[0-9a-z]+)?\.execute-api\.[-0-9a-z]+\.amazonaws\.com(?:\.cn)?$`)

const urlHint = "pulumi stack output url prints it, and so does make run"

// parseTarget reads an invoke URL. Its errors do not repeat a URL that may hold a
// password.
func parseTarget(address string) (target, error) {
	if address == "" {
		return target{}, errors.New("expected -url with the URL of an endpoint or of the stage: " + urlHint)
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return target{}, errors.New("expected -url to be https://HOST/STAGE/PATH, got something else: " + urlHint)
	case u.User != nil:
		return target{}, errors.New("expected a URL without a user: API Gateway knows none")
	case u.RawQuery != "" || u.Fragment != "":
		return target{}, errors.New("expected a URL that ends with the path, got one with a query or a fragment: " + urlHint)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	t := target{url: u, place: elsewhere}
	host := strings.ToLower(u.Hostname())
	switch {
	case loopback.Is(host):
		t.place = onThisMachine
	case executeAPI.MatchString(host):
		t.place = onAWS
	}
	return t, nil
}

// origin is the part of the URL before the path.
func (t target) origin() string { return t.url.Scheme + "://" + t.url.Host }

// locate finds the part of the URL's path that stands before the declared paths. It
// also returns the path that the URL asks for, "" if it is the stage's URL.
func (t *target) locate(d declaration) (asked string, err error) {
	named := t.place != elsewhere
	if slices.Contains(d.domains, strings.ToLower(t.url.Hostname())) {
		t.place = onAWS
	}
	parts := strings.Split(t.url.Path, "/") // the first is ""
	if named {
		if len(parts) < 2 || !slices.Contains(d.stages, parts[1]) {
			return "", fmt.Errorf("expected a URL with the stage that stack %s declares, %s/%s: choose another stack with STACK=…",
				d.stack, t.origin(), strings.Join(d.stages, " or /"))
		}
		t.stage = parts[1]
	}
	for i := range parts {
		t.base, asked = strings.Join(parts[:i+1], "/"), strings.Join(append([]string{""}, parts[i+1:]...), "/")
		switch {
		case named && t.base != "/"+t.stage:
		case asked != "" && d.knows(asked),
			asked == "" && (named || slices.Contains(d.bases, t.base) || slices.Contains(d.stages, strings.Trim(t.base, "/"))):
			return asked, nil
		}
	}
	return "", fmt.Errorf("%s fits no path that stack %s declares, %s: correct the URL, or choose another stack with STACK=…",
		t.url, d.stack, strings.Join(d.paths(), ", "))
}
