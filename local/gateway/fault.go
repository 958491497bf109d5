package gateway

import (
	"cmp"
	"encoding/json"

	"account-api/local/gateway/gatewayresponse"
)

// fault is a gateway response, before it is rendered.
type fault struct {
	kind    gatewayresponse.Type
	status  int    // 0 = the type's own
	message string // "" = the type's own
	reason  string // for the developer, never for the client
}

// saying replaces the type's own message.
func (f *fault) saying(message string) *fault {
	f.message = message
	return f
}

// answering replaces the type's own status.
func (f *fault) answering(status int) *fault {
	f.status = status
	return f
}

// text is $context.error.message.
func (f *fault) text() string {
	return cmp.Or(f.message, gatewayresponse.Defaults[f.kind].Message)
}

// quoted is $context.error.messageString: a JSON string, or null.
func (f *fault) quoted() string {
	if f.text() == "" {
		return "null"
	}
	text, _ := json.Marshal(f.text()) // a string always encodes
	return string(text)
}
