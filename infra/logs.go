package infra

import (
	"encoding/json"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newLogGroup declares a log group with the stack's retention and key.
func (s *stack) newLogGroup(name string, physical pulumi.StringInput) (*cloudwatch.LogGroup, error) {
	args := &cloudwatch.LogGroupArgs{
		Name:            physical,
		RetentionInDays: pulumi.Int(s.config.LogRetentionDays),
		Tags:            s.tags(),
	}
	if s.config.KMSKeyARN != "" {
		args.KmsKeyId = pulumi.String(s.config.KMSKeyARN)
	}
	return cloudwatch.NewLogGroup(s.ctx, name, args, s.options(s.kept()...)...)
}

// accessLog is one line of the access log. Its values are API Gateway's variables, in
// quotes, because API Gateway writes an absent variable as a bare -.
//
// No variable holds what a client writes freely: no header, no query, and the path only
// as the API declares it. The principal is the token's subject: an operator needs it to
// see whether one caller is affected or all.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
type accessLog struct {
	RequestID      string `json:"requestId"`
	Time           string `json:"time"`
	Method         string `json:"method"`
	Path           string `json:"path"`
	Status         string `json:"status"`
	ResponseLength string `json:"responseLength"`
	Latency        string `json:"latency"`
	SourceIP       string `json:"sourceIp"`
	Trace          string `json:"trace"`
	Error          struct {
		ResponseType string `json:"responseType"`
		Message      string `json:"message"`
	} `json:"error"`
	Authorizer struct {
		Status      string `json:"status"`
		Error       string `json:"error"`
		Latency     string `json:"latency"`
		RequestID   string `json:"requestId"`
		PrincipalID string `json:"principalId"`
	} `json:"authorizer"`
	Integration struct {
		Status    string `json:"status"`
		Error     string `json:"error"`
		Latency   string `json:"latency"`
		RequestID string `json:"requestId"`
	} `json:"integration"`
}

// accessLogFormat is the line that API Gateway fills in.
func accessLogFormat() (string, error) {
	var l accessLog
	l.RequestID = "$context.requestId"
	l.Time = "$context.requestTimeEpoch"
	l.Method = "$context.httpMethod"
	l.Path = "$context.resourcePath"
	l.Status = "$context.status"
	l.ResponseLength = "$context.responseLength"
	l.Latency = "$context.responseLatency"
	l.SourceIP = "$context.identity.sourceIp"
	l.Trace = "$context.xrayTraceId"
	l.Error.ResponseType = "$context.error.responseType"
	l.Error.Message = "$context.error.message"
	l.Authorizer.Status = "$context.authorizer.status"
	l.Authorizer.Error = "$context.authorizer.error"
	l.Authorizer.Latency = "$context.authorizer.latency"
	l.Authorizer.RequestID = "$context.authorizer.requestId"
	l.Authorizer.PrincipalID = "$context.authorizer.principalId"
	l.Integration.Status = "$context.integration.status"
	l.Integration.Error = "$context.integration.error"
	l.Integration.Latency = "$context.integration.latency"
	l.Integration.RequestID = "$context.integration.requestId"
	format, err := json.Marshal(l)
	return string(format), err
}
