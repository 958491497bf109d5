package gateway

import (
	"time"

	"account-api/local/gateway/gatewayresponse"
)

// What we could not confirm. Each of these is one behaviour of the deployed gateway that
// no public record shows. With an AWS account it can be observed in a minute. Until then
// it is a choice: where it is wrong, requests fail here and not in the cloud.
const (
	// failedAuthorizerType is the type of an authorizer that fails with any other
	// message than "Unauthorized". Unverified: the documentation has AUTHORIZER_FAILURE
	// too, but every observed x-amzn-ErrorType is of this type.
	failedAuthorizerType = gatewayresponse.AuthorizerConfigError

	// cachedLatency is integrationLatency, in ms, when the policy came from the
	// authorizer's cache. Unverified.
	cachedLatency = 0

	// authorizerTimeout is how long the gateway waits for an authorizer. Unverified
	// for REST APIs: this is their longest default wait for an integration.
	authorizerTimeout = 29 * time.Second
)

// bodyText is a body as a function gets it: text, since no binary media types are
// modelled. Each byte that is not UTF-8 becomes a replacement character. Unverified.
func bodyText(body []byte) string { return string([]rune(string(body))) }
