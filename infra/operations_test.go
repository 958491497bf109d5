package infra_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"account-api/internal/refusal"
	"account-api/local/graph"
)

const (
	metricFilter = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
	metricAlarm  = "aws:cloudwatch/metricAlarm:MetricAlarm"
	dashboard    = "aws:cloudwatch/dashboard:Dashboard"
)

// metrics are the metrics that the stack makes of its logs.
func metrics(t *testing.T, g *graph.Graph) map[string]bool {
	t.Helper()
	made := map[string]bool{}
	for _, filter := range g.OfType(metricFilter) {
		transformation := filter.Inputs["metricTransformation"].(map[string]any)
		expect(t, filter.Name+", namespace", transformation["namespace"], g.Project+"/"+g.Stack)
		made[transformation["name"].(string)] = true
		// Every filter reads a log group of this stack, and no filter a log of nobody.
		found := false
		for _, group := range g.OfType(logGroup) {
			found = found || group.Inputs["name"] == filter.Inputs["logGroupName"]
		}
		if !found {
			t.Errorf("%s: expected a log group of the stack, got %v", filter.Name, filter.Inputs["logGroupName"])
		}
	}
	return made
}

func TestAlarmsAreOnMetricsThatExist(t *testing.T) {
	g := mustDeclare(t, "prod")
	made := metrics(t, g)
	for _, a := range g.OfType(metricAlarm) {
		namespace, metric := a.String("namespace"), a.String("metricName")
		switch namespace {
		case "AWS/ApiGateway":
			expect(t, a.Name, a.Inputs["dimensions"], map[string]string{"ApiName": "sample-prod", "Stage": "prod"})
		case "AWS/Lambda":
			if metric == "Errors" {
				t.Errorf("%s: expected no alarm on failed invocations: a refused token is one", a.Name)
			}
		case "sample/prod":
			if !made[metric] {
				t.Errorf("%s: expected a metric filter that makes %s, got none", a.Name, metric)
			}
		default:
			t.Errorf("%s: expected a known namespace, got %s", a.Name, namespace)
		}
		if a.String("alarmDescription") == "" {
			t.Errorf("%s: expected a description of what to do", a.Name)
		}
	}
	for _, name := range []string{"server-errors", "slow", "keys-unavailable", "misconfigured", "attack", "key-set-attacked", "defect", "throttled", "authorizer-throttled", "items-throttled", "owners-throttled"} {
		find(t, g, metricAlarm, name)
	}
}

// A filter matches on text that another package writes: these are the lines.
func TestFiltersMatchWhatIsLogged(t *testing.T) {
	g := mustDeclare(t, "test")
	category := regexp.MustCompile(`\$\.category = "([^"]*)"`)
	matched := map[refusal.Category]bool{}
	for _, filter := range g.OfType(metricFilter) {
		for _, found := range category.FindAllStringSubmatch(filter.String("pattern"), -1) {
			matched[refusal.Category(found[1])] = true
		}
	}
	for _, reason := range refusal.Reasons() {
		if !matched[reason.Category()] {
			t.Errorf("%s: expected a filter on the category %s, got none", reason, reason.Category())
		}
	}
	if !matched[refusal.Attack] {
		t.Error("expected a filter on the category attack, which no reason has by itself")
	}
	for name, pattern := range map[string]string{
		"keys-unavailable": `{ $.reason = "jwks_unavailable" }`,
		"attack":           `{ $.category = "attack" }`,
		"key-set-attacked": `{ ($.category = "attack") && ($.reason = "key_rejected") }`,
		"authenticated":    `{ $.reason = "accepted" }`,
		"owners-denied":    `{ ($.msg = "Decision Log") && ($.result.allow IS FALSE) }`,
	} {
		expect(t, name, find(t, g, metricFilter, name).Inputs["pattern"], pattern)
	}
}

// TestTheAlarmOnAttacksNeedsASustainedRate: anybody can write a token that counts as an attack.
func TestTheAlarmOnAttacksNeedsASustainedRate(t *testing.T) {
	g := mustDeclare(t, "prod")
	a := find(t, g, metricAlarm, "attack")
	if sustained := a.Inputs["threshold"].(float64) * a.Inputs["datapointsToAlarm"].(float64); sustained < 300 || a.Inputs["datapointsToAlarm"] != a.Inputs["evaluationPeriods"] {
		t.Errorf("expected an alarm on a sustained rate, got %v in %v of %v minutes", a.Inputs["threshold"], a.Inputs["datapointsToAlarm"], a.Inputs["evaluationPeriods"])
	}
}

// TestOperationsExplainEveryReason reads the table of reasons in the page about operations.
func TestOperationsExplainEveryReason(t *testing.T) {
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	explained := map[refusal.Reason]refusal.Category{}
	row := regexp.MustCompile("(?m)^\\| ((?:`[a-z_]+`(?:, )?)+) \\| `([a-z]+)`[^|]* \\| [^|]+ \\|$")
	for _, found := range row.FindAllStringSubmatch(string(page), -1) {
		for reason := range strings.SplitSeq(found[1], ", ") {
			explained[refusal.Reason(strings.Trim(reason, "`"))] = refusal.Category(found[2])
		}
	}
	for _, reason := range refusal.Reasons() {
		if explained[reason] != reason.Category() {
			t.Errorf("expected %s with the category %s in docs/operations.md, got %q", reason, reason.Category(), explained[reason])
		}
		delete(explained, reason)
	}
	if len(explained) > 0 {
		t.Errorf("expected no other reasons in docs/operations.md, got %v", explained)
	}
}

func TestDashboard(t *testing.T) {
	g := mustDeclare(t, "test")
	made := metrics(t, g)
	var body struct {
		Widgets []struct {
			Type       string
			X, Y       int
			Properties struct {
				Title, Region, Query string
				Metrics              [][]any
			}
		}
	}
	if err := json.Unmarshal([]byte(find(t, g, dashboard, "account").String("dashboardBody")), &body); err != nil {
		t.Fatal(err)
	}
	places := map[[2]int]bool{}
	shown := map[string]bool{}
	for _, w := range body.Widgets {
		if place := [2]int{w.X, w.Y}; places[place] {
			t.Errorf("%s: expected a place of its own, got %v", w.Properties.Title, place)
		} else {
			places[place] = true
		}
		expect(t, w.Properties.Title, w.Properties.Region, "eu-west-1")
		if w.Type == "log" && !strings.Contains(w.Properties.Query, find(t, g, logGroup, "authorizer").String("name")) {
			t.Errorf("expected a query over the authorizer's log, got %s", w.Properties.Query)
		}
		for _, line := range w.Properties.Metrics {
			if line[0] == "sample/test" {
				shown[line[1].(string)] = true
				if !made[line[1].(string)] {
					t.Errorf("%s: expected a metric that a filter makes, got %v", w.Properties.Title, line[1])
				}
			}
		}
	}
	for metric := range made {
		// Unavailable keys are among the outages.
		if !shown[metric] && metric != "KeysUnavailable" && metric != "KeySetAttacked" {
			t.Errorf("expected the dashboard to show %s", metric)
		}
	}
}

// A page that every endpoint changed would be most of a preview.
func TestAnEndpointChangesOneDashboard(t *testing.T) {
	g := mustDeclare(t, "test")
	if body := find(t, g, dashboard, "account").String("dashboardBody"); strings.Contains(body, "AWS/Lambda") {
		t.Errorf("expected no function on the first page, got %s", body)
	}
	body := find(t, g, dashboard, "functions").String("dashboardBody")
	for _, name := range []string{"authorizer", "items", "owners"} {
		if !strings.Contains(body, "sample-test-"+name) {
			t.Errorf("expected the function %s on the second page", name)
		}
	}
}

func TestLogs(t *testing.T) {
	g := mustDeclare(t, "prod")
	s := find(t, g, stage, "account")
	settings := s.Inputs["accessLogSettings"].(map[string]any)
	expect(t, "where the access log goes", settings["destinationArn"], find(t, g, logGroup, "access").String("arn"))
	if !json.Valid([]byte(settings["format"].(string))) {
		t.Errorf("expected a format that is JSON, got %v", settings["format"])
	}
	api, err := g.One(restAPI)
	if err != nil {
		t.Fatal(err)
	}
	execution := find(t, g, logGroup, "execution")
	expect(t, "API Gateway's own log group", execution.Inputs["name"], "API-Gateway-Execution-Logs_"+api.ID+"/prod")
	if !s.DependsOn(execution.URN) {
		t.Error("expected the stage to wait for its log group: API Gateway would create it without retention")
	}
	for _, group := range g.OfType(logGroup) {
		expect(t, group.Name, group.Inputs["retentionInDays"], 400)
	}
}

func TestAccountIsLeftAloneUnlessAsked(t *testing.T) {
	const account = "aws:apigateway/account:Account"
	if found := mustDeclare(t, "test").OfType(account); len(found) != 0 {
		t.Errorf("expected no setting of the account, got %d", len(found))
	}
	g := mustDeclare(t, "test", "manageApiGatewayAccount=true")
	a := find(t, g, account, "gateway-logs")
	expect(t, "the account's role", a.Inputs["cloudwatchRoleArn"], find(t, g, role, "gateway-logs").String("arn"))
	if !a.DependsOn(find(t, g, attachment, "gateway-logs").URN) {
		t.Error("expected the setting to wait for the role's policy: API Gateway tries it at once")
	}
	if s := find(t, g, stage, "account"); !s.DependsOn(a.URN) {
		t.Error("expected the stage to wait for the account's role")
	}
}

func TestDomain(t *testing.T) {
	g := mustDeclare(t, "prod", examples[14]...)
	d := find(t, g, "aws:apigateway/domainName:DomainName", "account")
	expect(t, "TLS", d.Inputs["securityPolicy"], "TLS_1_2")
	mapping := find(t, g, "aws:apigateway/basePathMapping:BasePathMapping", "account")
	expect(t, "domain", mapping.Inputs["domainName"], "api.example.net")
	expect(t, "stage", mapping.Inputs["stageName"], "prod")
	if mapping.Inputs["basePath"] != nil {
		t.Errorf("expected the stage at the root, got %v", mapping.Inputs["basePath"])
	}
}

func TestBoundaryLimitsEveryRole(t *testing.T) {
	const boundary = "arn:aws:iam::123456789012:policy/boundary"
	for _, r := range mustDeclare(t, "test", "permissionsBoundaryArn="+boundary, "manageApiGatewayAccount=true").OfType(role) {
		expect(t, r.Name, r.Inputs["permissionsBoundary"], boundary)
	}
	for _, r := range mustDeclare(t, "test").OfType(role) {
		expect(t, r.Name, r.Inputs["permissionsBoundary"], nil)
	}
}

func TestOnlyTheDomainReachesTheAPI(t *testing.T) {
	before := find(t, mustDeclare(t, "prod", examples[14]...), deployment, "account").Inputs
	g := mustDeclare(t, "prod", append(examples[14], "disableExecuteApiEndpoint=true")...)
	expect(t, "API Gateway's own endpoint is off", find(t, g, restAPI, "account").Inputs["disableExecuteApiEndpoint"], true)
	if after := find(t, g, deployment, "account").Inputs; document(t, after) == document(t, before) {
		t.Error("expected a new deployment: without it the endpoint stays on")
	}
}
