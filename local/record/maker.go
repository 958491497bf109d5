package record

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"account-api/local/graph"
)

// maker makes up what a provider computes when a resource is created, in the provider's
// own forms. Permissions, policies and URIs that contain it look as in a deployed stack.
// The same resource gets the same values in every run.
type maker struct {
	region, account string

	urn, token, name string // of the resource
	existing         string // ID of a resource that the program reads; "" for one that it declares
	inputs           map[string]any
	shape            shape
}

// make returns the resource's ID and its computed properties. What it cannot make up is
// absent.
func (m maker) make() (id string, computed map[string]any) {
	p := patterns[m.token]
	computed = map[string]any{}
	nameProperty := "name"
	if p["nameProperty"] != "" {
		nameProperty = p["nameProperty"]
	}
	physical := m.physical(nameProperty)
	if s := m.shape[nameProperty]; s.kind == text && !s.optional {
		computed[nameProperty] = physical
	}
	for _, property := range slices.Sorted(maps.Keys(m.shape)) {
		if _, given := m.inputs[property]; given || computed[property] != nil {
			continue
		}
		if value := m.output(property, p, physical); value != nil {
			computed[property] = value
		}
	}
	m.functions(computed)
	switch form := p["id"]; {
	case m.token == "aws:lambda/alias:Alias":
		id, _ = computed["arn"].(string)
	case form != "":
		id = m.fill(form, p, physical)
	case computed[nameProperty] != nil:
		id = physical
	default:
		id = m.letters("", 6)
	}
	return id, computed
}

// physical is the resource's name in the account: the one that is declared, or the
// logical name with seven hexadecimal digits, as providers make it.
// https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming
func (m maker) physical(property string) string {
	if name, given := m.inputs[property].(string); given {
		return name
	}
	if m.existing != "" {
		return m.existing
	}
	prefix := m.name + "-"
	if given, ok := m.inputs[property+"Prefix"].(string); ok {
		prefix = given
	}
	name := prefix + m.hex(7)
	if fifo, _ := m.inputs["fifoQueue"].(bool); fifo {
		name += ".fifo"
	}
	if property == "bucket" {
		name = strings.ToLower(name) // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
	}
	return name
}

// output is the value of one property that the program does not set; nil if none can be
// made up.
func (m maker) output(property string, p pattern, physical string) any {
	s := m.shape[property]
	switch {
	case p[property] != "" && s.kind == text:
		return m.fill(p[property], p, physical)
	case property == "port" && s.kind == number:
		if port := m.port(); port != 0 {
			return port
		}
		return nil
	case property == "tagsAll":
		if tags, ok := m.inputs["tags"].(map[string]any); ok {
			return tags
		}
		return map[string]any{}
	case property == "version" && s.kind == number:
		return 1.0
	}
	return m.habit(property, s, physical)
}

func (m maker) port() float64 {
	engine, _ := m.inputs["engine"].(string)
	return ports[engine]
}

// habit makes up a value by what properties of this name hold in every provider.
func (m maker) habit(property string, s shape1, physical string) any {
	lower := strings.ToLower(property)
	switch s.kind {
	case list:
		if value := m.habit(strings.TrimSuffix(property, "s"), *s.element, physical); value != nil {
			return []any{value}
		}
		return nil
	case object:
		made := map[string]any{}
		for name, member := range s.members {
			value := m.habit(name, member, physical)
			if value == nil && !member.optional {
				return nil // in part, it would be misread
			}
			if value != nil {
				made[name] = value
			}
		}
		return made
	case text:
	default:
		return nil
	}
	if s.optional {
		return nil
	}
	switch service, kind := m.kind(); {
	case lower == "arn":
		return fmt.Sprintf("arn:aws:%s:%s:%s:%s/%s", service, m.region, m.account, kind, physical)
	case strings.HasSuffix(lower, "arn"):
		return fmt.Sprintf("arn:aws:%s:%s:%s:%s/%s", service, m.region, m.account, strings.TrimSuffix(lower, "arn"), physical)
	case strings.HasSuffix(lower, "url") || strings.HasSuffix(lower, "uri"):
		return fmt.Sprintf("https://%s.%s.%s.amazonaws.com/", strings.ToLower(physical), service, m.region)
	case strings.HasSuffix(lower, "endpoint"), strings.HasSuffix(lower, "address"), strings.HasSuffix(lower, "domainname"),
		strings.HasSuffix(lower, "dnsname"), strings.HasSuffix(lower, "hostname"), lower == "host", lower == "domain":
		return fmt.Sprintf("%s.%s.%s.%s.amazonaws.com", strings.ToLower(physical), m.letters("", 12), service, m.region)
	case strings.HasSuffix(lower, "id"):
		return strings.TrimSuffix(lower, "id") + "-" + m.hex(17)
	case strings.HasSuffix(lower, "name"):
		return physical
	case lower == "region":
		return m.region
	case lower == "accountid", lower == "owner":
		return m.account
	}
	return nil
}

// kind is the service and the kind of the resource, as ARNs write them.
func (m maker) kind() (service, kind string) {
	parts := strings.Split(m.token, ":")
	service, _, _ = strings.Cut(parts[min(1, len(parts)-1)], "/")
	return service, strings.ToLower(parts[len(parts)-1])
}

var placeholder = regexp.MustCompile(`\{([A-Za-z]+)([0-9]*)\}`)

// fill replaces the placeholders of a form: region, account, name, uuid, hexN, lowerN,
// upperN, mixedN, otherN, another member of the pattern, or an input.
func (m maker) fill(form string, p pattern, physical string) string {
	return placeholder.ReplaceAllStringFunc(form, func(match string) string {
		parts := placeholder.FindStringSubmatch(match)
		length, _ := strconv.Atoi(parts[2]) // digits, or none
		switch parts[1] {
		case "region":
			return m.region
		case "account":
			return m.account
		case "name":
			if m.token == "aws:ssm/parameter:Parameter" && strings.HasPrefix(form, "arn:") {
				return strings.TrimPrefix(physical, "/")
			}
			return physical
		case "port":
			return strconv.FormatFloat(m.port(), 'f', -1, 64)
		case "hex":
			return m.hex(length)
		case "lower":
			return m.letters("", length)
		case "other":
			return m.letters("/", length)
		case "upper":
			return strings.ToUpper(m.letters("", length))
		case "mixed":
			if length == 0 {
				given, _ := m.inputs["length"].(float64)
				length = min(max(int(given), 1), 45)
			}
			return m.letters("", length)
		case "uuid":
			h := m.hex(32)
			return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
		}
		if given, ok := m.inputs[parts[1]]; ok {
			return fmt.Sprint(given)
		}
		return m.fill(p[parts[1]], p, physical)
	})
}

// functions adds what names a function and its versions.
func (m maker) functions(computed map[string]any) {
	switch m.token {
	case "aws:lambda/function:Function":
		arn, _ := computed["arn"].(string)
		// The code here is the current one: the first version of a new stack.
		version := graph.Latest
		if publish, _ := m.inputs["publish"].(bool); publish {
			version = "1"
		}
		computed["version"] = version
		computed["invokeArn"] = graph.InvokeARN(m.region, arn)
		computed["qualifiedArn"] = arn + ":" + version
		computed["qualifiedInvokeArn"] = graph.InvokeARN(m.region, arn+":"+version)
	case "aws:lambda/alias:Alias":
		function, _ := m.inputs["functionName"].(string)
		if !strings.HasPrefix(function, "arn:") {
			function = fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", m.region, m.account, function)
		}
		arn := fmt.Sprintf("%s:%v", function, m.inputs["name"])
		computed["arn"], computed["invokeArn"] = arn, graph.InvokeARN(m.region, arn)
	}
}

// hex is a stable text of hexadecimal digits.
func (m maker) hex(length int) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(m.urn)))[:length]
}

// letters is a stable text of lower-case letters and digits, as API Gateway's IDs are.
// Another salt gives another text.
func (m maker) letters(salt string, length int) string {
	sum := sha256.Sum256([]byte(m.urn + salt))
	return new(big.Int).SetBytes(append([]byte{1}, sum[:]...)).Text(36)[1 : 1+length]
}
