package gateway

import (
	"fmt"
	"strings"
	"time"
)

// Exchange is one request and how it was answered, for whoever develops against
// the gateway. It never carries the value of a header, of a claim or of anything
// else that a caller sent, except the method, the path and the peer's address.
type Exchange struct {
	RequestID         string
	ExtendedRequestID string // also the x-amz-apigw-id of the answer
	Time              time.Time
	SourceIP          string
	Method            string // that the gateway acted on
	Path              string // as requested, with the stage, without the query
	Stage             string // "" when the path names none that exists
	Resource          string // path template that matched, "" when none did
	Status            int
	ErrorType         string // x-amzn-ErrorType, "" when the gateway reported no error
	AnsweredBy        string // "gateway", "authorizer", "integration <function name>" or "mock"
	Reason            string // one line
	Steps             []Step // every hop, in order; nil when nobody asked for a report
	Duration          time.Duration
	ResponseBytes     int

	Authorization   *Authorization // nil when no authorizer was asked, not even its cache
	Integration     *Invocation    // nil when no function was invoked for the answer
	GatewayResponse *Response      // nil unless the gateway composed the answer
	Browser         string         // why a page on another origin could not use the answer; "" when it could, or none asked
}

// Step is one hop of a request.
type Step struct {
	Hop    string // "route", "identity", "cache", "authorizer", "policy", "context", …
	Detail string
}

// Authorization is what became of the authorizer's part.
type Authorization struct {
	Authorizer  string
	MethodARN   string
	Invocation  *Invocation   // nil on a cache hit and when it was not invoked
	CacheAge    time.Duration // how old the cached result is
	CacheHit    bool
	Verdict     string   // "allow", "explicit deny", "implicit deny", "unauthorized", "failed"
	Reason      string   // "reason" of the function's last log line that has one
	Statement   int      // that decided, from 1; 0 when none did
	Pattern     string   // of that statement, that the method ARN matched
	ContextKeys []string // keys passed on to the integration, never their values
}

// Invocation is one call of a function.
type Invocation struct {
	Function       string
	RequestID      string // the function's own, as in its log lines
	Status         int    // that the function answered; 0 when it did not, or is an authorizer
	ColdStart      bool
	InitDuration   time.Duration
	Duration       time.Duration // as the function's platform reports it
	Latency        time.Duration // as the gateway waited
	Failed         bool
	FailureType    string // errorType of a failure
	LoggedAsReason string // "reason" of the function's last log line that has one
}

// Response is a gateway response: an answer that the gateway composed.
type Response struct {
	Type   string // e.g. "UNAUTHORIZED"
	Origin string // resource that customises it, or "built in"
	Status int
}

// String is the exchange as one line.
func (e Exchange) String() string {
	line := fmt.Sprintf("%s %s %d by %s: %s", e.Method, e.Path, e.Status, e.AnsweredBy, e.Reason)
	return strings.TrimSuffix(line, ": ")
}
