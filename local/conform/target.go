package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// place is where an API runs, as far as its host's name tells.
type place int

const (
	onThisMachine place = iota
	onAWS               // an execute-api host
	elsewhere           // a custom domain of API Gateway, or something else
)

// target is the endpoint under test.
type target struct {
	url   *url.URL // of GET /profile, without a trailing slash
	place place
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
		return target{}, errors.New("expected -url with the profile endpoint's URL: " + urlHint)
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return target{}, errors.New("expected -url to be https://HOST/STAGE/profile, got something else: " + urlHint)
	case u.User != nil:
		return target{}, errors.New("expected a URL without a user: API Gateway knows none")
	case u.RawQuery != "" || u.Fragment != "":
		return target{}, errors.New("expected a URL that ends with the path, got one with a query or a fragment: " + urlHint)
	}
	if u.Path = strings.TrimRight(u.Path, "/"); u.Path == "" {
		return target{}, fmt.Errorf("expected a URL with the stage and the path, as in %s://%s/dev/profile: %s", u.Scheme, u.Host, urlHint)
	}
	u.RawPath = ""
	t := target{url: u, place: elsewhere}
	host := strings.ToLower(u.Hostname())
	ip := net.ParseIP(host)
	switch {
	case host == "localhost" || ip != nil && ip.IsLoopback():
		t.place = onThisMachine
	case executeAPI.MatchString(host):
		t.place = onAWS
	}
	// Elsewhere the parts before the endpoint are a base path mapping, if anything.
	if parts := strings.Split(strings.Trim(u.Path, "/"), "/"); len(parts) == 2 && t.place != elsewhere {
		t.stage = parts[0]
	}
	return t, nil
}

// origin is the part of the URL before the path.
func (t target) origin() string { return t.url.Scheme + "://" + t.url.Host }

// beside is the path of a sibling of the endpoint.
func (t target) beside(name string) string { return path.Join(path.Dir(t.url.Path), name) }

// ofStage is the endpoint's path in another stage.
func (t target) ofStage(stage string) string { return "/" + stage + "/" + path.Base(t.url.Path) }

func (p place) String() string {
	switch p {
	case onThisMachine:
		return "this machine"
	case onAWS:
		return "API Gateway"
	default:
		return "a host that API Gateway did not name"
	}
}
