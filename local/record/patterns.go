package record

// pattern is how a provider writes what it computes for one type. The member "id" is the
// resource's ID; "nameProperty" is the property that holds its name, if that is not
// "name". A placeholder is one of the pattern's own members, an input, or one of those of
// [maker.fill].
type pattern map[string]string

// The forms of ARNs: https://docs.aws.amazon.com/service-authorization/latest/reference/
var patterns = map[string]pattern{
	"aws:acm/certificate:Certificate": {"id": "{arn}", "arn": "arn:aws:acm:{region}:{account}:certificate/{uuid}"},

	"aws:apigateway/account:Account":                 {"id": "api-gateway-account"}, // the only one of the account and region
	"aws:apigateway/apiKey:ApiKey":                   {"id": "{lower10}", "value": "{lower40}", "arn": "arn:aws:apigateway:{region}::/apikeys/{id}"},
	"aws:apigateway/authorizer:Authorizer":           {"id": "{lower6}", "arn": "arn:aws:apigateway:{region}::/restapis/{restApi}/authorizers/{id}"},
	"aws:apigateway/basePathMapping:BasePathMapping": {"id": "{domainName}/{basePath}"},
	"aws:apigateway/deployment:Deployment": {"id": "{lower6}", "executionArn": "arn:aws:execute-api:{region}:{account}:{restApi}/{stageName}",
		"invokeUrl": "https://{restApi}.execute-api.{region}.amazonaws.com/{stageName}"},
	"aws:apigateway/domainName:DomainName": {"id": "{domainName}", "arn": "arn:aws:apigateway:{region}::/domainnames/{domainName}",
		"regionalDomainName": "d-{lower10}.execute-api.{region}.amazonaws.com", "regionalZoneId": "Z{upper13}",
		"cloudfrontDomainName": "d{lower13}.cloudfront.net", "cloudfrontZoneId": "Z2FDTNDATAQYW2"},
	"aws:apigateway/methodSettings:MethodSettings": {"id": "{restApi}-{stageName}-{methodPath}"},
	"aws:apigateway/model:Model":                   {"id": "{lower6}"},
	"aws:apigateway/resource:Resource":             {"id": "{lower6}"},
	"aws:apigateway/restApi:RestApi": {"id": "{lower10}", "arn": "arn:aws:apigateway:{region}::/restapis/{id}",
		"executionArn": "arn:aws:execute-api:{region}:{account}:{id}", "rootResourceId": "{other10}"},
	"aws:apigateway/stage:Stage": {"id": "ags-{restApi}-{stageName}", "arn": "arn:aws:apigateway:{region}::/restapis/{restApi}/stages/{stageName}",
		"executionArn": "arn:aws:execute-api:{region}:{account}:{restApi}/{stageName}",
		"invokeUrl":    "https://{restApi}.execute-api.{region}.amazonaws.com/{stageName}"},
	"aws:apigateway/usagePlan:UsagePlan": {"id": "{lower6}", "arn": "arn:aws:apigateway:{region}::/usageplans/{id}"},

	"aws:cloudfront/distribution:Distribution": {"id": "E{upper13}", "arn": "arn:aws:cloudfront::{account}:distribution/{id}",
		"domainName": "d{lower13}.cloudfront.net", "hostedZoneId": "Z2FDTNDATAQYW2"},
	"aws:cloudwatch/dashboard:Dashboard":             {"id": "{dashboardName}", "dashboardArn": "arn:aws:cloudwatch::{account}:dashboard/{dashboardName}"},
	"aws:cloudwatch/eventBus:EventBus":               {"id": "{name}", "arn": "arn:aws:events:{region}:{account}:event-bus/{name}"},
	"aws:cloudwatch/eventRule:EventRule":             {"id": "{name}", "arn": "arn:aws:events:{region}:{account}:rule/{name}"},
	"aws:cloudwatch/logGroup:LogGroup":               {"id": "{name}", "arn": "arn:aws:logs:{region}:{account}:log-group:{name}"},
	"aws:cloudwatch/logMetricFilter:LogMetricFilter": {"id": "{name}"},
	"aws:cloudwatch/metricAlarm:MetricAlarm":         {"id": "{name}", "arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}"},

	"aws:cognito/userPool:UserPool": {"id": "{region}_{mixed9}", "arn": "arn:aws:cognito-idp:{region}:{account}:userpool/{id}",
		"endpoint": "cognito-idp.{region}.amazonaws.com/{id}"},
	"aws:cognito/userPoolClient:UserPoolClient": {"id": "{lower26}", "clientSecret": "{lower40}"},

	"aws:dynamodb/table:Table": {"id": "{name}", "arn": "arn:aws:dynamodb:{region}:{account}:table/{name}",
		"streamLabel": "2026-01-01T00:00:00.000", "streamArn": "{arn}/stream/{streamLabel}"},

	"aws:ec2/securityGroup:SecurityGroup": {"id": "sg-{hex17}", "arn": "arn:aws:ec2:{region}:{account}:security-group/{id}"},
	"aws:ec2/subnet:Subnet":               {"id": "subnet-{hex17}", "arn": "arn:aws:ec2:{region}:{account}:subnet/{id}", "availabilityZone": "{region}a"},
	"aws:ec2/vpc:Vpc":                     {"id": "vpc-{hex17}", "arn": "arn:aws:ec2:{region}:{account}:vpc/{id}"},
	"aws:ecr/repository:Repository": {"id": "{name}", "arn": "arn:aws:ecr:{region}:{account}:repository/{name}",
		"registryId": "{account}", "repositoryUrl": "{account}.dkr.ecr.{region}.amazonaws.com/{name}"},
	"aws:elasticache/replicationGroup:ReplicationGroup": {"nameProperty": "replicationGroupId", "id": "{name}",
		"arn":                    "arn:aws:elasticache:{region}:{account}:replicationgroup:{name}",
		"primaryEndpointAddress": "master.{name}.{lower6}.{region}.cache.amazonaws.com"},

	"aws:iam/instanceProfile:InstanceProfile":           {"id": "{name}", "arn": "arn:aws:iam::{account}:instance-profile/{name}"},
	"aws:iam/policy:Policy":                             {"id": "{arn}", "arn": "arn:aws:iam::{account}:policy/{name}", "policyId": "ANPA{upper17}"},
	"aws:iam/role:Role":                                 {"id": "{name}", "arn": "arn:aws:iam::{account}:role/{name}", "uniqueId": "AROA{upper17}"},
	"aws:iam/rolePolicy:RolePolicy":                     {"id": "{role}:{name}"},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {"id": "{role}-{hex7}"},
	"aws:iam/user:User":                                 {"id": "{name}", "arn": "arn:aws:iam::{account}:user/{name}", "uniqueId": "AIDA{upper17}"},

	"aws:kinesis/stream:Stream": {"id": "{arn}", "arn": "arn:aws:kinesis:{region}:{account}:stream/{name}"},
	"aws:kms/alias:Alias":       {"id": "{name}", "arn": "arn:aws:kms:{region}:{account}:{name}", "targetKeyArn": "arn:aws:kms:{region}:{account}:key/{targetKeyId}"},
	"aws:kms/key:Key":           {"id": "{uuid}", "keyId": "{id}", "arn": "arn:aws:kms:{region}:{account}:key/{id}"},

	"aws:lambda/function:Function": {"id": "{name}", "arn": "arn:aws:lambda:{region}:{account}:function:{name}"},
	"aws:lambda/functionUrl:FunctionUrl": {"id": "{functionName}", "urlId": "{lower32}",
		"functionUrl": "https://{urlId}.lambda-url.{region}.on.aws/", "functionArn": "arn:aws:lambda:{region}:{account}:function:{functionName}"},
	"aws:lambda/layerVersion:LayerVersion": {"id": "{arn}", "layerArn": "arn:aws:lambda:{region}:{account}:layer:{layerName}", "arn": "{layerArn}:1", "version": "1"},

	"aws:rds/cluster:Cluster": {"nameProperty": "clusterIdentifier", "id": "{name}", "arn": "arn:aws:rds:{region}:{account}:cluster:{name}",
		"endpoint": "{name}.cluster-{lower12}.{region}.rds.amazonaws.com", "readerEndpoint": "{name}.cluster-ro-{lower12}.{region}.rds.amazonaws.com"},
	"aws:rds/instance:Instance": {"nameProperty": "identifier", "id": "db-{upper26}", "arn": "arn:aws:rds:{region}:{account}:db:{name}",
		"address": "{name}.{lower12}.{region}.rds.amazonaws.com", "endpoint": "{address}:{port}"},
	"aws:route53/zone:Zone": {"nameProperty": "name", "id": "Z{upper19}", "zoneId": "{id}", "arn": "arn:aws:route53:::hostedzone/{id}"},

	"aws:s3/bucket:Bucket":     bucket,
	"aws:s3/bucketV2:BucketV2": bucket,
	"aws:scheduler/schedule:Schedule": {"id": "default/{name}", "arn": "arn:aws:scheduler:{region}:{account}:schedule/default/{name}",
		"groupName": "default"},
	"aws:secretsmanager/secret:Secret":               {"id": "{arn}", "arn": "arn:aws:secretsmanager:{region}:{account}:secret:{name}-{mixed6}"},
	"aws:secretsmanager/secretVersion:SecretVersion": {"id": "{secretId}|{uuid}", "arn": "{secretId}", "versionId": "{uuid}"},
	"aws:sfn/stateMachine:StateMachine":              {"id": "{arn}", "arn": "arn:aws:states:{region}:{account}:stateMachine:{name}"},
	"aws:sns/topic:Topic":                            {"id": "{arn}", "arn": "arn:aws:sns:{region}:{account}:{name}", "owner": "{account}"},
	"aws:sns/topicSubscription:TopicSubscription":    {"id": "{arn}", "arn": "{topic}:{uuid}"},
	"aws:sqs/queue:Queue": {"id": "{url}", "arn": "arn:aws:sqs:{region}:{account}:{name}",
		"url": "https://sqs.{region}.amazonaws.com/{account}/{name}"},
	"aws:ssm/parameter:Parameter": {"id": "{name}", "arn": "arn:aws:ssm:{region}:{account}:parameter/{name}"},

	"aws:wafv2/webAcl:WebAcl":                       {"id": "{uuid}", "arn": "arn:aws:wafv2:{region}:{account}:regional/webacl/{name}/{id}"},
	"aws:wafv2/webAclAssociation:WebAclAssociation": {"id": "{webAclArn},{resourceArn}"},

	"random:index/randomPassword:RandomPassword": {"id": "none", "result": "{mixed}"},
	"random:index/randomString:RandomString":     {"id": "{result}", "result": "{mixed}"},
	"random:index/randomUuid:RandomUuid":         {"id": "{uuid}", "result": "{uuid}"},
}

var bucket = pattern{"nameProperty": "bucket", "id": "{name}", "arn": "arn:aws:s3:::{name}", "region": "{region}", "hostedZoneId": "Z{upper13}",
	"bucketDomainName": "{name}.s3.amazonaws.com", "bucketRegionalDomainName": "{name}.s3.{region}.amazonaws.com",
	"websiteDomain": "s3-website.{region}.amazonaws.com", "websiteEndpoint": "{name}.s3-website.{region}.amazonaws.com"}

// ports are those that engines listen on by default.
// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
var ports = map[string]float64{
	"mysql": 3306, "mariadb": 3306, "aurora-mysql": 3306, "postgres": 5432, "aurora-postgresql": 5432, "redis": 6379, "valkey": 6379,
}
