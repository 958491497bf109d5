package gateway

import "time"

// What no public record settles. Each constant is one behaviour of the deployed
// gateway that somebody with an account can observe in a minute; until then it is
// a choice, made so that a wrong guess is noticed here rather than in the cloud.
const (
	// keepsCapitalMessage: a DEFAULT_4XX that only adds headers leaves ACCESS_DENIED
	// its body with a capital "Message". Unverified; an explicit template on
	// DEFAULT_4XX makes the question moot.
	keepsCapitalMessage = true

	// failedAuthorizerType is the type of an authorizer that fails with any other
	// message than "Unauthorized". Unverified: the documentation offers
	// AUTHORIZER_FAILURE too, but every observed x-amzn-ErrorType is this one's.
	failedAuthorizerType = authorizerConfigError

	// cachedLatency is integrationLatency, in ms, when the policy came from the
	// authorizer's cache. Unverified.
	cachedLatency = 0

	// requiresPrincipal: an output without principalId is a configuration error.
	// Unverified for TOKEN authorizers; the documentation calls it required.
	requiresPrincipal = true

	// authorizerTimeout is how long the gateway waits for an authorizer. Unverified
	// for REST APIs: this is their longest default wait for an integration.
	authorizerTimeout = 29 * time.Second
)
