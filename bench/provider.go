package main

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"account-api/local/issuer"
)

const (
	audience  = "https://api.example.com/account"
	methodARN = "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod/GET/profile"
	// nobody is a loopback address that refuses connections.
	nobody = "http://127.0.0.1:1/"
)

// provider is an identity provider on this machine and one of its tokens.
type provider struct {
	server *httptest.Server
	tls    *httptest.Server // the same behind HTTPS
	token  string
	issuer *issuer.Issuer
}

func newProvider() (*provider, error) {
	p := &provider{}
	// The issuer's name is its address, which is known when it listens.
	serve := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.issuer.ServeHTTP(w, r) })
	p.server, p.tls = httptest.NewServer(serve), httptest.NewTLSServer(serve)
	var err error
	p.issuer, err = issuer.New(issuer.Options{URL: p.server.URL + "/", Audience: audience, Scopes: []string{"get:profile", "update:profile"}})
	if err != nil {
		p.close()
		return nil, err
	}
	p.token, err = p.issuer.Token(issuer.TokenRequest{})
	return p, err
}

func (p *provider) close() {
	p.server.Close()
	p.tls.Close()
}

// environment is the authorizer's, with the key set at the given base address.
func (p *provider) environment(keys string) []string {
	return []string{
		"JWKS_URI=" + keys + "/.well-known/jwks.json", "TOKEN_ISSUER=" + p.server.URL + "/", "AUDIENCE=" + audience,
	}
}

// roots are environments in which the HTTPS server is trusted, next to every root of this
// system: a function has to parse them all before it trusts one.
type roots struct {
	once     []string // all in one file
	asGoDoes []string // there, and in the directory where this system has them too
}

// withRoots returns nil where the system's roots are not in a file.
func (p *provider) withRoots() (*roots, error) {
	for _, file := range []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"} {
		content, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		content = append(content, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.tls.Certificate().Raw})...)
		directory, err := filepath.Abs(filepath.Join(outputs, "roots"))
		if err != nil {
			return nil, err
		}
		bundle := filepath.Join(directory, "bundle.pem")
		return &roots{
			once:     []string{"SSL_CERT_FILE=" + bundle},
			asGoDoes: []string{"SSL_CERT_FILE=/nonexistent", "SSL_CERT_DIR=" + directory + ":" + filepath.Dir(file)},
		}, writeFile(bundle, func(f *os.File) error { _, err := f.Write(content); return err })
	}
	return nil, nil
}

// authorizerEvent is what API Gateway sends to a TOKEN authorizer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
func (p *provider) authorizerEvent() []byte {
	return fmt.Appendf(nil, `{"type":"TOKEN","authorizationToken":"Bearer %s","methodArn":%q}`, p.token, methodARN)
}

// profileEvent is what API Gateway sends to a Lambda proxy integration for a request
// of a browser that has passed the authorizer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
func (p *provider) profileEvent() []byte {
	const agent = `Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0`
	return fmt.Appendf(nil, `{"resource":"/profile","path":"/profile","httpMethod":"GET",`+
		`"headers":{"Accept":"*/*","Authorization":"Bearer %[1]s","Host":"abcdef1234.execute-api.eu-central-1.amazonaws.com","User-Agent":%[2]q,"X-Amzn-Trace-Id":"Root=1-5759e988-bd862e3fe1be46a994272793","X-Forwarded-For":"192.0.2.1","X-Forwarded-Port":"443","X-Forwarded-Proto":"https"},`+
		`"multiValueHeaders":{"Accept":["*/*"],"Authorization":["Bearer %[1]s"],"Host":["abcdef1234.execute-api.eu-central-1.amazonaws.com"],"User-Agent":[%[2]q],"X-Amzn-Trace-Id":["Root=1-5759e988-bd862e3fe1be46a994272793"],"X-Forwarded-For":["192.0.2.1"],"X-Forwarded-Port":["443"],"X-Forwarded-Proto":["https"]},`+
		`"queryStringParameters":null,"multiValueQueryStringParameters":null,"pathParameters":null,"stageVariables":null,`+
		`"requestContext":{"resourceId":"r1","authorizer":{"principalId":"reader@clients","integrationLatency":12,"scope":%[3]q,"azp":"reader"},"resourcePath":"/profile","httpMethod":"GET","extendedRequestId":"ZZZZZZZZZZZZZZZ=",`+
		`"requestTime":"17/Jun/2026:14:52:41 +0000","path":"/prod/profile","accountId":"123456789012","protocol":"HTTP/1.1","stage":"prod","domainPrefix":"abcdef1234","requestTimeEpoch":1781707961000,`+
		`"requestId":"0f0ae4b9-2f5f-4d3a-9d5c-6a2a9f2f3b11","identity":{"cognitoIdentityPoolId":null,"accountId":null,"sourceIp":"192.0.2.1","userAgent":%[2]q,"user":null},"domainName":"abcdef1234.execute-api.eu-central-1.amazonaws.com","apiId":"abcdef1234"},"body":null,"isBase64Encoded":false}`,
		p.token, agent, grantedNow)
}
