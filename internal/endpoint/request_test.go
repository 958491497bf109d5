package endpoint

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// An endpoint that logs or wraps its request logs no token and no caller.
func TestRequestShowsItsIDOnly(t *testing.T) {
	h, _ := newTestHandler(t, answering(func(_ context.Context, r Request) (Reply, error) {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("JSON", slog.Any("request", r))
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", slog.Any("request", r), slog.Any("requests", []Request{r}))
		fmt.Fprintf(&log, "%v %+v %#v %s %q %x %d %v", r, r, r, r, r, r, r, &r)
		if got := strings.Count(log.String(), eventID); got != 11 {
			t.Errorf("expected the ID 11 times, got %d times:\n%s", got, &log)
		}
		for _, secret := range []string{bearer, subject, hex.EncodeToString([]byte(bearer)), fmt.Sprint([]byte(bearer))} {
			if strings.Contains(log.String(), strings.Trim(secret, "[]")) {
				t.Errorf("expected no %q:\n%s", secret, &log)
			}
		}
		return Reply{Body: []byte(body)}, nil
	}))
	if got := invoke(t, h, event(scope(t, "read:orders"))); got != ok {
		t.Errorf("got %s", got)
	}
}

func TestContent(t *testing.T) {
	for _, row := range []struct {
		name  string
		event string
		want  Content
		fault string
	}{
		{"nothing", `{"pathParameters":null,"multiValueQueryStringParameters":null,"body":null,"isBase64Encoded":false}`, Content{}, ""},
		{"no member", `{}`, Content{}, ""},
		{"a path parameter", `{"pathParameters":{"account":"7 é"}}`, Content{Path: map[string]string{"account": "7 é"}}, ""},
		{"a path parameter as API Gateway passes it on", `{"pathParameters":{"account":"auth0%7Cabc","rest":"a%2Fb/c+d%20e"}}`, Content{Path: map[string]string{"account": "auth0|abc", "rest": "a/b/c+d e"}}, ""},
		{"a path parameter that is not percent-encoded", `{"pathParameters":{"account":"` + bearer + `%zz"}}`, Content{}, "400 the path is not percent-encoded UTF-8"},
		{"a path parameter that is not UTF-8", `{"pathParameters":{"account":"%ff"}}`, Content{}, "400 the path is not percent-encoded UTF-8"},
		{"a query", `{"queryStringParameters":{"a":"2"},"multiValueQueryStringParameters":{"a":["1","2"]}}`, Content{Query: url.Values{"a": {"1", "2"}}}, ""},
		{"a body", `{"body":"{\"customer\":\"Zoë\"}","isBase64Encoded":false}`, Content{Body: []byte(`{"customer":"Zoë"}`)}, ""},
		{"an empty body", `{"body":""}`, Content{Body: []byte{}}, ""},
		{"a body in base64", `{"body":"AP8=","isBase64Encoded":true}`, Content{Body: []byte{0, 255}}, ""},
		{"a body that claims to be", `{"body":"` + bearer + `","isBase64Encoded":true}`, Content{}, "expected a body in base64"},
		{"a body of another type", `{"body":7}`, Content{}, "read content: unusable JSON"},
		{"path parameters of another type", `{"pathParameters":{"` + bearer + `":7}}`, Content{}, "read event: unusable JSON"},
		{"members in another case", `{"Body":"a","PathParameters":{"account":"7"}}`, Content{}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			request, _, err := readEvent([]byte(row.event))
			var got Content
			if err == nil {
				got, err = request.Content()
			}
			if !reflect.DeepEqual(got, row.want) {
				t.Errorf("got  %+v\nwant %+v", got, row.want)
			}
			if row.fault == "" && err != nil || row.fault != "" && (err == nil || !strings.Contains(err.Error(), row.fault)) {
				t.Errorf("got error %v, want one that says %q", err, row.fault)
			}
			if err != nil && strings.Contains(err.Error(), bearer) {
				t.Errorf("the error quotes the event: %v", err)
			}
		})
	}
}

// An endpoint can read what it was sent, and the token is not among it.
func TestContentOfAnInvocation(t *testing.T) {
	payload := strings.NewReplacer(`"pathParameters":null`, `"pathParameters":{"account":"7"}`, `"body":null`, `"body":"[1]"`).
		Replace(event(scope(t, "read:orders")))
	var content Content
	h, _ := newTestHandler(t, answering(func(_ context.Context, r Request) (_ Reply, err error) {
		content, err = r.Content()
		return Reply{Body: content.Body}, err
	}))
	if got, want := invoke(t, h, payload), strings.Replace(ok, `{\"customer\":\"Zoë\"}`, `[1]`, 1); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if want := (Content{Path: map[string]string{"account": "7"}, Body: []byte("[1]")}); !reflect.DeepEqual(content, want) {
		t.Errorf("got %+v, want %+v", content, want)
	}
}

func TestDeclaredHeadersAreRead(t *testing.T) {
	const sent = `{"multiValueHeaders":{"Accept":["text/csv"],"if-match":["\"1\"","\"2\""],"Authorization":["Bearer ` + bearer + `"],"X-Other":["1"]}}`
	for _, row := range []struct {
		name     string
		declared []string
		want     http.Header
	}{
		{"none", nil, nil},
		{"one, however it is written", []string{"ACCEPT"}, http.Header{"Accept": {"text/csv"}}},
		{"one that arrives by HTTP/2, twice", []string{"If-Match"}, http.Header{"If-Match": {`"1"`, `"2"`}}},
		{"one that was not sent", []string{"X-Absent"}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			request, _, err := readEvent([]byte(sent))
			if err != nil {
				t.Fatal(err)
			}
			request.headers = row.declared
			content, err := request.Content()
			if err != nil || !reflect.DeepEqual(content.Header, row.want) {
				t.Errorf("got %v, %v; want %v", content.Header, err, row.want)
			}
		})
	}
}
