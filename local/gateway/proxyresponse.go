package gateway

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"account-api/local/gateway/field"
	"account-api/local/gateway/member"
)

// parseProxyResponse reads what a function answered. All members are optional and
// no others are allowed. Errors name members and never quote values.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
func parseProxyResponse(payload []byte) (answer, error) {
	object, err := member.Of(payload)
	if err != nil {
		return answer{}, errors.New("expected a JSON object with statusCode, headers and body")
	}
	a := answer{status: http.StatusOK}
	var single map[string]jsontext.Value
	var multi map[string][]string
	for _, name := range slices.Sorted(maps.Keys(object)) {
		raw := object[name]
		switch name {
		case "statusCode":
			a.status, err = statusCode(raw)
		case "headers":
			single, err = member.Optional(raw)
		case "multiValueHeaders":
			multi, err = multiValues(raw)
		case "body":
			var body string
			body, _, err = member.Scalar(raw)
			a.body = []byte(body)
		case "isBase64Encoded":
			// Never decoded: that takes binary media types, which are refused.
			if text, _, scalarErr := member.Scalar(raw); scalarErr != nil || text != "" && text != "true" && text != "false" {
				err = errors.New("expected true or false")
			}
		default:
			return answer{}, errors.New("has a member that is none of statusCode, headers, multiValueHeaders, body, isBase64Encoded: an ordinary object belongs in body, as a string")
		}
		if err != nil {
			return answer{}, fmt.Errorf("%s has an unusable value", name)
		}
	}
	if err := a.merge(single, multi); err != nil {
		return answer{}, err
	}
	if len(a.get("Content-Type")) == 0 {
		a.add("Content-Type", "application/json")
	}
	return a, nil
}

// merge adds multi-value headers first, then single ones without repeating a value.
func (a *answer) merge(single map[string]jsontext.Value, multi map[string][]string) error {
	sent := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(multi)) {
		for _, value := range multi[name] {
			sent.Add(name, value)
			if err := a.pass(name, value); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(single)) {
		value, present, err := member.Scalar(single[name])
		if err != nil {
			return errors.New("headers has a value that is an object or a list: use multiValueHeaders for several values")
		}
		if !present || slices.Contains(sent.Values(name), value) {
			continue
		}
		if err := a.pass(name, value); err != nil {
			return err
		}
	}
	return nil
}

// remappedInResponse reach the client under another name, since the gateway sends its
// own. Keys are in canonical form.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
var remappedInResponse = map[string]bool{
	"Authorization": true, "Connection": true, "Content-Length": true, "Content-Md5": true, "Date": true,
	"Expect": true, "Host": true, "Max-Forwards": true, "Proxy-Authenticate": true, "Server": true,
	"Trailer": true, "Upgrade": true, "User-Agent": true, "Www-Authenticate": true,
	"X-Amzn-Requestid": true, "X-Amz-Apigw-Id": true,
}

const remapped = "x-amzn-Remapped-"

// droppedFromResponse would contradict the framing of the response.
var droppedFromResponse = map[string]bool{"Transfer-Encoding": true, "Te": true}

// pass adds an integration's header under the name that it reaches the client with.
func (a *answer) pass(name, value string) error {
	canonical := http.CanonicalHeaderKey(name)
	switch {
	case !field.ValidName(name) || !field.ValidValue(value):
		return errors.New("headers has a name or a value that HTTP does not allow")
	case droppedFromResponse[canonical]:
	case remappedInResponse[canonical]:
		a.add(remapped+name, value)
	default:
		a.add(name, value)
	}
	return nil
}

// statusCode reads a number, or text that is one; null is 200.
func statusCode(raw jsontext.Value) (int, error) {
	text, present, err := member.Scalar(raw)
	if err != nil {
		return 0, err
	}
	if !present {
		return http.StatusOK, nil
	}
	code, err := strconv.Atoi(text)
	if err != nil || code < 200 || code > 599 {
		return 0, errors.New("expected a status from 200 to 599")
	}
	return code, nil
}

func multiValues(raw jsontext.Value) (map[string][]string, error) {
	var lists map[string][]jsontext.Value
	if err := json.Unmarshal(raw, &lists); err != nil {
		return nil, err
	}
	out := make(map[string][]string, len(lists))
	for name, list := range lists {
		for _, raw := range list {
			value, present, err := member.Scalar(raw)
			if err != nil {
				return nil, err
			}
			if present {
				out[name] = append(out[name], value)
			}
		}
	}
	return out, nil
}
