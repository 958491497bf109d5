package gateway

import (
	"fmt"
	"strings"
	"time"
)

// Exchange is one request and how it was answered, for the developer. Of what the caller
// sent it has the method, the path and the peer's address only: no header and no claim.
type Exchange struct {
	RequestID         string
	ExtendedRequestID string // also the x-amz-apigw-id of the answer
	Time              time.Time
	SourceIP          string
	Method            string // that the gateway acted on
	Path              string // as requested, with the stage, without the query
	Status            int
	AnsweredBy        string // "gateway", "authorizer", "integration <function name>" or "mock"
	Reason            string // one line
	Steps             []Step // every hop, in order; nil without a report
	Duration          time.Duration

	Authorization *Authorization // nil when the method is open or was not reached
	Integration   *Invocation    // nil when no function was invoked for the answer
	Browser       string         // why a page on another origin could not use the answer; "" when it could, or none asked
}

// Step is one hop of a request.
type Step struct {
	Hop    string // "route", "identity", "cache", "authorizer", "policy", "context", …
	Detail string
}

// Differs is the hop of a step that says what AWS would do with the request in another way,
// or may do.
const Differs = "differs on AWS"

// Authorization is what came of the authorizer's part.
type Authorization struct {
	MethodARN   string
	CacheHit    bool
	CacheAge    time.Duration // how old the cached result is
	ContextKeys []string      // keys passed on to the integration, never their values
	Invocation  *Invocation   // of the authorizer; nil when it was not invoked
}

// Invocation is one call of a function.
type Invocation struct {
	RequestID      string // the function's own, as in its log lines
	ColdStart      bool
	Latency        time.Duration // as the gateway waited
	FailureType    string        // errorType of a failure; "" when the function did not fail
	LoggedAsReason string        // "reason" of the function's last log line that has one
}

// String is the exchange on one line.
func (e Exchange) String() string {
	line := fmt.Sprintf("%s %s %d by %s: %s", e.Method, e.Path, e.Status, e.AnsweredBy, e.Reason)
	return strings.TrimSuffix(line, ": ")
}
