package main

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"account-api/local/fidelity"
)

// testCase is one promise about the API: a request, and what the answer must be.
type testCase struct {
	group, name string
	missing     string // what it takes to run it; "" when it can
	send        request
	expect      []expectation
}

// run sends the request and says what differs.
func (k *testCase) run(ctx context.Context, c *caller) (a *answer, problems []string) {
	a, err := c.send(ctx, k.send)
	if err != nil {
		return nil, []string{"expected an answer, got none: " + err.Error()}
	}
	for _, e := range k.expect {
		if problem := e(a); problem != "" {
			problems = append(problems, problem)
		}
	}
	return a, problems
}

// plan is what is asked, in the order of the table.
type plan struct {
	settings
	declared declaration
	first    endpoint // is asked everything; the others a few things of each kind
	forged   []forgery
	cases    []*testCase
	remarks  []string // about what is not asked
}

// newPlan chooses the endpoint that is asked everything: the one that the URL names, or
// the first. It prefers a safe method, as only those are called with a token.
func newPlan(ctx context.Context, s settings, d declaration, asked string) (*plan, error) {
	p := &plan{settings: s, declared: d}
	rank := func(e endpoint) (rank int) {
		if !e.safe() {
			rank += 2
		}
		if !e.fits(asked) {
			rank++
		}
		return rank
	}
	p.first = slices.MinFunc(d.protected(), func(a, b endpoint) int { return rank(a) - rank(b) })
	var err error
	if p.forged, err = forge(p.good()); err != nil {
		return nil, err
	}
	if err := p.recorded(); err != nil {
		return nil, err
	}
	p.refusals()
	p.others()
	p.preflights()
	p.routing()
	p.headers()
	p.misused()
	return p, p.decisions(ctx)
}

// good is a token that the API should accept, "" for none.
func (p *plan) good() string { return cmp.Or(p.tokens[0].value, p.tokens[1].value) }

// add appends a case. The caller may say what it lacks.
func (p *plan) add(group, name string, send request, expect ...expectation) *testCase {
	k := &testCase{group: group, name: name, send: send, expect: expect}
	p.cases = append(p.cases, k)
	return k
}

// ask is a request to an endpoint, with a value for its authorizer or without one.
func (p *plan) ask(e endpoint, value ...string) request {
	r := request{method: e.verb, path: p.target.base + e.concrete(), query: e.query, header: slices.Clone(e.extra)}
	if len(value) > 0 {
		r.header = append(r.header, e.header, value[0])
	}
	return r
}

// get is a GET of any path of the stage.
func (p *plan) get(path string) request { return request{method: "GET", path: p.target.base + path} }

// page is an origin that no API allows by accident.
const page = "https://conform.example"

// preflight is what a browser asks before it sends a request with a token.
// https://fetch.spec.whatwg.org/#cors-preflight-fetch
func (p *plan) preflight(e endpoint) request {
	return request{method: "OPTIONS", path: p.target.base + e.concrete(), header: []string{"Origin", page,
		"Access-Control-Request-Method", e.verb, "Access-Control-Request-Headers", strings.ToLower(e.header)}}
}

// junk has a token's form and no meaning.
const junk = "aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl"

// published are the rows of package fidelity, which nobody changes.
var published = sync.OnceValues(fidelity.Load)

// recorded asks what every stage answers, as far as it is published: package fidelity has
// the rows, with their sources.
func (p *plan) recorded() error {
	record, err := published()
	if err != nil {
		return err
	}
	// The answer to HEAD has no body to compare.
	lacking := slices.DeleteFunc(p.declared.lacking(p.first.concrete()), func(verb string) bool { return verb == http.MethodHead })
	place := fidelity.Place{Base: p.target.base, Path: strings.TrimRight(p.first.concrete(), "/"), Verb: p.first.verb, Lacking: append(lacking, "")[0]}
	for _, area := range record.Areas {
		for _, row := range area.Rows {
			if row.Stage == "" {
				continue
			}
			ask := p.request(place, row.Request)
			verb, below := ask.method, strings.TrimPrefix(ask.path, p.target.base)
			needsVerb := strings.Contains(row.Ask, "{lacking}")
			for _, header := range row.Headers {
				if name, ok := header["X-HTTP-Method-Override"]; ok {
					verb, needsVerb = place.Fill(name), true
				}
			}
			p.add("recorded: "+area.Name, row.Name, ask, expected(row.Answer)...).missing = cmp.Or(
				unless(!needsVerb || place.Lacking != "", "needs a method that the path lacks"),
				unless(row.Stage != fidelity.NamedStage || p.target.stage != "", "needs a URL that names a stage; a custom domain has none"),
				unless(row.Gives != "no route" || !p.declared.answers(verb, below), "needs a path that the stack does not declare"))
		}
	}
	return nil
}

// request is that of a row, with the header that the first endpoint's authorizer reads.
func (p *plan) request(place fidelity.Place, r fidelity.Request) request {
	method, target := place.Line(r)
	path, query, _ := strings.Cut(target, "?")
	ask := request{method: method, path: path, query: query}
	for _, header := range r.Headers {
		for name, value := range header {
			if strings.EqualFold(name, "Authorization") && p.first.header != "Authorization" {
				name = p.first.header
			}
			ask.header = append(ask.header, name, place.Fill(value))
		}
	}
	return ask
}

// refusals ask the first endpoint without a token and with every kind of bad one.
func (p *plan) refusals() {
	ask, group := p.ask(p.first), p.first.String()+" without a token"
	// RFC 9110, section 15.5.2: a 401 says which scheme would help.
	p.add(group, "it challenges for a bearer token", ask, header("WWW-Authenticate", "Bearer"))
	p.add(group, "a page on the allowed origin may read it", ask.with("Origin", page), readable(p.declared.origin))
	p.add(group, "such a page may read request ID and challenge", ask.with("Origin", page),
		lists("Access-Control-Expose-Headers", requestID, "WWW-Authenticate"))

	for _, f := range p.forged {
		p.add(p.first.String()+" with refused tokens", f.name+": 401", p.ask(p.first, "Bearer "+f.token), unauthorized...).missing = f.missing
	}
}

// others ask the other endpoints whether their authorizer is there.
func (p *plan) others() {
	const group = "other methods"
	for _, e := range p.declared.endpoints {
		switch name := e.String(); {
		case name == p.first.String() || e.mock:
		case e.header != "":
			p.add(group, name+" without a token: 401", p.ask(e), append(slices.Clone(unauthorized), header("WWW-Authenticate", "Bearer"))...)
			p.add(group, name+" with one part: 401", p.ask(e, "Bearer aGVhZGVy"), unauthorized...)
			for _, f := range []forgery{p.forged[unsigned], p.forged[foreign]} {
				p.add(group, name+" with "+f.name+": 401", p.ask(e, "Bearer "+f.token), unauthorized...)
			}
		case e.open && e.safe():
			p.add(group, name+" needs no token", p.ask(e), authorized)
		default:
			p.remarks = append(p.remarks, name+" was not called: it has no TOKEN authorizer, and a call could change data or need other credentials.")
		}
	}
}

func (p *plan) preflights() {
	const group = "preflight"
	for i, e := range p.declared.where(endpoint.preflight) {
		methods := p.declared.where(func(o endpoint) bool { return o.path == e.path })
		guarded := methods[max(0, slices.IndexFunc(methods, func(o endpoint) bool { return o.header != "" }))]
		ask, name := p.preflight(guarded), strings.TrimPrefix(e.String(), "OPTIONS ")
		// A browser goes on only after a status from 200 to 299.
		p.add(group, name+": it is 200 or 204 without a token", ask, status(200, 204), header(errorType, ""))
		p.add(group, name+": it allows the declared origin", ask, readable(p.declared.origin))
		p.add(group, name+": it allows the declared methods and no other", ask, offers(methods))
		if guarded.header != "" {
			// https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
			p.add(group, name+": it allows the token's header by name, which * does not cover", ask, lists("Access-Control-Allow-Headers", guarded.header))
		}
		if i == 0 {
			p.add(group, "a browser may keep it for a minute or more", ask, maxAge)
			p.add(group, "API Gateway answers it alone, so it has no trace", ask, header(traceID, ""))
			p.add(group, "it has both request IDs", ask, uuid, base64ID)
		}
	}
}

// unknown is a path part that no stack declares, unless it declares every path.
const unknown = "/conform-no-such-path"

func (p *plan) routing() {
	const group = "routing"
	path := p.first.concrete()
	p.add(group, "a page on the allowed origin may read a 403", p.get(unknown).with("Origin", page), readable(p.declared.origin))
	for _, declared := range p.declared.paths() {
		concrete := endpoint{path: declared}.concrete()
		lacking := p.declared.lacking(concrete)
		if concrete != path {
			lacking = lacking[:min(1, len(lacking))]
		}
		for _, verb := range lacking {
			p.add(group, verb+" "+declared+" is 403, not 405", request{method: verb, path: p.target.base + concrete}, noRoute...)
		}
	}
}

func (p *plan) headers() {
	const group = "headers"
	ask := p.ask(p.first)
	again := ask
	again.before = &ask
	p.add(group, "x-amzn-RequestId is a UUID, another one each time", again, uuid, renewed(requestID))
	p.add(group, "x-amz-apigw-id is an ID, another one each time", again, base64ID, renewed(extendedID))
}

// decisions need a token. What to expect is what the policy of each endpoint decides
// about the token's bearer. Only safe methods are called: any other could change data.
func (p *plan) decisions(ctx context.Context) error {
	const group = "what policies decide"
	tried := map[bool]bool{} // decisions
	for _, e := range p.declared.where(func(e endpoint) bool { return e.header != "" && e.safe() }) {
		sent := map[bool]request{} // by decision
		for _, t := range p.tokens {
			name := e.String() + " with " + t.variable
			if t.value == "" {
				p.add(group, name, request{}).missing = "needs " + t.variable
				continue
			}
			ask := p.ask(e, "Bearer "+t.value)
			d, err := predict(ctx, p.root, e, t)
			switch {
			case err != nil:
				return err
			case d == nil:
				p.add(group, name+" has no policy or authorizer of this checkout: not 401", ask, authenticated)
				continue
			case d.Allow:
				p.add(group, name+" is allowed: answered", ask, authorized, isJSON)
			default:
				p.add(group, name+" is denied: 403 with the reasons", ask, status(403), body(forbiddenBody(d.Reasons)), isJSON, header(errorType, ""))
			}
			tried[d.Allow], sent[d.Allow] = true, ask
			if e.String() == p.first.String() {
				p.add(group, name+": a page on the allowed origin may read that", ask.with("Origin", page), readable(p.declared.origin))
				p.add(group, name+": no cache may keep that", ask, header("Cache-Control", "no-store"))
				p.add(group, name+": that can be traced", ask, traced)
			}
		}
		if allowed, denied := sent[true], sent[false]; len(sent) == 2 {
			allowed.before = &denied
			p.add(group, e.String()+" is answered right after it was denied to another caller", allowed, after(403), authorized)
		}
	}
	switch {
	case p.good() == "":
	case !tried[false]:
		p.remarks = append(p.remarks, "Nothing was tried that a policy denies: set TOKEN_WITHOUT_SCOPE to the token of a caller who may do less.")
	case !tried[true]:
		p.remarks = append(p.remarks, "Nothing was tried that a policy allows: set TOKEN to the token of a caller who may do more.")
	}
	return nil
}

// misused are requests that use a good token wrongly, and so must be refused.
func (p *plan) misused() {
	const group = "misuse of a token"
	good := p.good()
	missing := cmp.Or(unless(good != "", "needs TOKEN"), unless(p.first.safe(), "needs a GET method with an authorizer"))
	with, without := p.ask(p.first, "Bearer "+good), p.ask(p.first)
	without.before = &with
	p.add(group, "the next request without it is 401", without, unauthorized...).missing = missing
	for _, row := range []struct{ name, value string }{
		{"with a lower-case scheme", "bearer " + good},
		{"after two spaces", "Bearer  " + good},
		{"without its scheme", good},
		{"twice in one header", "Bearer " + good + ", Bearer " + good},
	} {
		p.add(group, row.name+": 401", p.ask(p.first, row.value), unauthorized...).missing =
			cmp.Or(missing, unless(p.first.refuses(row.value), "needs an identityValidationExpression that refuses it"))
	}
}
