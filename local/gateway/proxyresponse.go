package gateway

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"account-api/local/gateway/field"
)

// parseProxyResponse reads what a function answered. All members are optional and
// no others are allowed. Errors name members and never quote values.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
func parseProxyResponse(payload []byte) (answer, error) {
	var output struct {
		StatusCode        scalar              `json:"statusCode"`
		Headers           map[string]scalar   `json:"headers"`
		MultiValueHeaders map[string][]scalar `json:"multiValueHeaders"`
		Body              scalar              `json:"body"`
		// Never decoded: that takes binary media types, which are refused.
		IsBase64Encoded scalar `json:"isBase64Encoded"`
	}
	if err := readOutput(payload, &output, "statusCode, headers, multiValueHeaders, body, isBase64Encoded: an ordinary object belongs in body, as a string"); err != nil {
		return answer{}, err
	}
	if encoded := output.IsBase64Encoded.text; encoded != "" && encoded != "true" && encoded != "false" {
		return answer{}, errors.New("isBase64Encoded: expected true or false")
	}
	a := answer{status: http.StatusOK, body: []byte(output.Body.text)}
	if output.StatusCode.present {
		code, err := strconv.Atoi(output.StatusCode.text)
		if err != nil || code < 200 || code > 599 {
			return answer{}, errors.New("statusCode: expected a status from 200 to 599")
		}
		a.status = code
	}
	if err := a.merge(output.Headers, output.MultiValueHeaders); err != nil {
		return answer{}, err
	}
	if len(a.get("Content-Type")) == 0 {
		a.add("Content-Type", "application/json")
	}
	return a, nil
}

// merge adds multi-value headers first, then single ones without repeating a value.
func (a *answer) merge(single map[string]scalar, multi map[string][]scalar) error {
	sent := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(multi)) {
		for _, value := range multi[name] {
			if !value.present {
				continue
			}
			sent.Add(name, value.text)
			if err := a.pass(name, value.text); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(single)) {
		value := single[name]
		if !value.present || slices.Contains(sent.Values(name), value.text) {
			continue
		}
		if err := a.pass(name, value.text); err != nil {
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
