package main

// grant is what one type of resource needs. In ARNs and conditions, {region}, {account},
// {project} and {name} stand for the stack's; {name} is project and stack, with which all
// names begin.
type grant struct {
	arns  []string
	read  []string // to preview
	write []string // to deploy, beyond read
	when  map[string]map[string]string
}

// Reference: https://docs.aws.amazon.com/service-authorization/latest/reference/
//
// The read and write actions are the calls that the provider made for most types, recorded on
// an emulation of AWS while a stack was made, refreshed, changed and destroyed. Those for
// aliases, tables, tags and most of WAF are from that reference.
var (
	functions = []string{"arn:aws:lambda:{region}:{account}:function:{name}-*"}
	roles     = []string{"arn:aws:iam::{account}:role/{name}-*"}
	policies  = []string{"arn:aws:iam::{account}:policy/{name}-*"}
	// API Gateway authorizes by HTTP method and path. The path holds the API's generated ID,
	// so it cannot be narrowed by name.
	apis    = []string{"arn:aws:apigateway:{region}::/restapis", "arn:aws:apigateway:{region}::/restapis/*"}
	domains = []string{"arn:aws:apigateway:{region}::/domainnames", "arn:aws:apigateway:{region}::/domainnames/*"}
	// The names of the log groups that the stack declares: of functions, of the access log,
	// and of the execution log, which API Gateway names after the API's ID.
	logGroups = []string{
		"arn:aws:logs:{region}:{account}:log-group:/aws/lambda/{name}-*",
		"arn:aws:logs:{region}:{account}:log-group:/aws/apigateway/{name}*",
		"arn:aws:logs:{region}:{account}:log-group:API-Gateway-Execution-Logs_*/*",
	}
	alarms     = []string{"arn:aws:cloudwatch:{region}:{account}:alarm:{name}-*"}
	dashboards = []string{"arn:aws:cloudwatch::{account}:dashboard/{name}*"}
	accountLog = []string{"arn:aws:iam::{account}:role/{project}-logs-*"}
)

var (
	get         = []string{"apigateway:GET"}
	change      = []string{"apigateway:POST", "apigateway:PUT", "apigateway:PATCH", "apigateway:DELETE"}
	partOfAnAPI = []grant{{arns: apis, read: get, write: change}}
)

// taggable are the API's parts that the stack tags.
func taggable(arns []string, kind string) []grant {
	return []grant{
		{arns: arns, read: get, write: change},
		{arns: []string{"arn:aws:apigateway:{region}::/tags/arn%3Aaws%3Aapigateway%3A{region}%3A%3A%2F" + kind + "%2F*"}, read: get, write: change},
	}
}

// grants are the rows. A type that the program declares must have one.
var grants = map[string][]grant{
	"aws:apigateway/account:Account": {
		{arns: []string{"arn:aws:apigateway:{region}::/account"}, read: get, write: []string{"apigateway:PATCH"}},
		{arns: accountLog, write: []string{"iam:PassRole"}, when: map[string]map[string]string{"StringEquals": {"iam:PassedToService": "apigateway.amazonaws.com"}}},
		{arns: accountLog, read: readRole, write: writeRole},
		{arns: []string{"arn:aws:iam::{account}:policy/{project}-logs-*"}, read: readPolicy, write: writePolicy},
		{arns: accountLog, write: attach, when: map[string]map[string]string{"ArnLike": {"iam:PolicyARN": "arn:aws:iam::{account}:policy/{project}-logs-*"}}},
	},
	"aws:apigateway/authorizer:Authorizer":                   partOfAnAPI,
	"aws:apigateway/basePathMapping:BasePathMapping":         {{arns: domains, read: get, write: change}},
	"aws:apigateway/deployment:Deployment":                   partOfAnAPI,
	"aws:apigateway/domainName:DomainName":                   taggable(domains, "domainnames"),
	"aws:apigateway/integration:Integration":                 partOfAnAPI,
	"aws:apigateway/integrationResponse:IntegrationResponse": partOfAnAPI,
	"aws:apigateway/method:Method":                           partOfAnAPI,
	"aws:apigateway/methodResponse:MethodResponse":           partOfAnAPI,
	"aws:apigateway/methodSettings:MethodSettings":           partOfAnAPI,
	"aws:apigateway/model:Model":                             partOfAnAPI,
	"aws:apigateway/requestValidator:RequestValidator":       partOfAnAPI,
	"aws:apigateway/resource:Resource":                       partOfAnAPI,
	"aws:apigateway/response:Response":                       partOfAnAPI,
	"aws:apigateway/restApi:RestApi":                         taggable(apis, "restapis"),
	"aws:apigateway/stage:Stage":                             taggable(apis, "restapis"),
	"aws:cloudwatch/dashboard:Dashboard": {
		{arns: dashboards, read: []string{"cloudwatch:GetDashboard"}, write: []string{"cloudwatch:PutDashboard", "cloudwatch:DeleteDashboards"}},
	},
	"aws:cloudwatch/logGroup:LogGroup": {
		{arns: []string{"*"}, read: []string{"logs:DescribeLogGroups"}},
		{arns: logGroups, read: []string{"logs:ListTagsForResource"}, write: []string{
			"logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy",
			"logs:AssociateKmsKey", "logs:DisassociateKmsKey", "logs:TagResource", "logs:UntagResource",
		}},
	},
	"aws:cloudwatch/logMetricFilter:LogMetricFilter": {
		{arns: logGroups, read: []string{"logs:DescribeMetricFilters"}, write: []string{"logs:PutMetricFilter", "logs:DeleteMetricFilter"}},
	},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {
		{arns: []string{"*"}, read: []string{"cloudwatch:DescribeAlarms"}},
		{arns: alarms, read: []string{"cloudwatch:ListTagsForResource"}, write: []string{
			"cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:TagResource", "cloudwatch:UntagResource",
		}},
	},
	"aws:dynamodb/table:Table": {
		{arns: []string{"arn:aws:dynamodb:{region}:{account}:table/{name}-*"}, read: []string{
			"dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:ListTagsOfResource",
		}, write: []string{
			"dynamodb:CreateTable", "dynamodb:DeleteTable", "dynamodb:TagResource", "dynamodb:UntagResource",
			"dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive",
		}},
	},
	"aws:iam/policy:Policy": {{arns: policies, read: readPolicy, write: writePolicy}},
	"aws:iam/role:Role":     {{arns: roles, read: readRole, write: writeRole}},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
		// Only the stack's own policies, or the deployer could attach AdministratorAccess.
		{arns: roles, write: attach, when: map[string]map[string]string{"ArnLike": {"iam:PolicyARN": "arn:aws:iam::{account}:policy/{name}-*"}}},
		{arns: roles, read: []string{"iam:ListAttachedRolePolicies"}},
	},
	"aws:lambda/alias:Alias": {
		{arns: functions, read: []string{"lambda:GetAlias"}, write: []string{"lambda:CreateAlias", "lambda:UpdateAlias", "lambda:DeleteAlias"}},
	},
	"aws:lambda/function:Function": {
		{arns: functions, read: []string{
			"lambda:GetFunction", "lambda:GetFunctionCodeSigningConfig", "lambda:GetFunctionConfiguration",
			"lambda:ListVersionsByFunction", "lambda:ListTags",
		}, write: []string{
			"lambda:CreateFunction", "lambda:DeleteFunction", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration",
			"lambda:PublishVersion", "lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency",
			"lambda:TagResource", "lambda:UntagResource",
		}},
		{arns: roles, write: []string{"iam:PassRole"}, when: map[string]map[string]string{"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}},
	},
	"aws:lambda/permission:Permission": {
		{arns: functions, read: []string{"lambda:GetPolicy"}, write: []string{"lambda:AddPermission", "lambda:RemovePermission"}},
	},
	"aws:wafv2/webAclAssociation:WebAclAssociation": {
		{arns: []string{"arn:aws:wafv2:{region}:{account}:regional/webacl/*"}, write: []string{"wafv2:AssociateWebACL", "wafv2:GetWebACL"}, read: []string{"wafv2:GetWebACLForResource"}},
		{arns: []string{"arn:aws:apigateway:{region}::/restapis/*"}, read: []string{"wafv2:GetWebACLForResource"}, write: []string{"apigateway:SetWebACL", "wafv2:AssociateWebACL", "wafv2:DisassociateWebACL"}},
	},
}

var (
	attach     = []string{"iam:AttachRolePolicy", "iam:DetachRolePolicy"}
	readRole   = []string{"iam:GetRole", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies", "iam:ListRoleTags"}
	writeRole  = []string{"iam:CreateRole", "iam:DeleteRole", "iam:UpdateRole", "iam:UpdateRoleDescription", "iam:UpdateAssumeRolePolicy", "iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary", "iam:ListInstanceProfilesForRole", "iam:TagRole", "iam:UntagRole"}
	readPolicy = []string{"iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions", "iam:ListPolicyTags"}
	// A policy has at most five versions: the provider deletes the oldest.
	writePolicy = []string{"iam:CreatePolicy", "iam:DeletePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:TagPolicy", "iam:UntagPolicy"}
)
