package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Export is a deployed stack, as `pulumi stack export` writes it.
type Export struct {
	resources []deployed
}

type deployed struct {
	URN     string         `json:"urn"`
	Type    string         `json:"type"`
	ID      string         `json:"id"`
	Outputs map[string]any `json:"outputs"`
}

// The mark of a value that is a secret.
// https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go
const (
	signatureKey    = "4dabf18193072939515e22adb298388d"
	secretSignature = "1b47061264138c4ac30d75fd1eb44270"
)

func readExport(file string) (*Export, error) {
	if file == "" {
		return nil, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: write it with pulumi stack export --stack NAME --file %s", err, file)
	}
	var document struct {
		Deployment *struct {
			Resources []deployed `json:"resources"`
		} `json:"deployment"`
	}
	err = json.Unmarshal(content, &document)
	if err == nil && document.Deployment == nil {
		err = errors.New("it has no deployment")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: expected the JSON of pulumi stack export, with deployment and resources: %w", file, err)
	}
	return &Export{document.Deployment.Resources}, nil
}

// find returns the deployed resource: the one with the URN, else the only one of the type
// and name, since another stack's URNs differ.
func (e *Export) find(urn, token, name string) *deployed {
	if e == nil {
		return nil
	}
	var found []*deployed
	for i := range e.resources {
		r := &e.resources[i]
		if r.URN == urn {
			return r
		}
		if r.Type == token && strings.HasSuffix(r.URN, "::"+name) {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// account is the account of the deployed stack, "" if no ARN names it.
func (e *Export) account() string {
	if e == nil {
		return ""
	}
	for _, r := range e.resources {
		arn, _ := r.Outputs["arn"].(string)
		if parts := strings.Split(arn, ":"); len(parts) > 5 && len(parts[4]) == 12 {
			return parts[4]
		}
	}
	return ""
}

// properties are the outputs. A secret that is encrypted is unknown: who reads it is told.
func (d *deployed) properties() resource.PropertyMap {
	all := resource.PropertyMap{}
	for name, value := range d.Outputs {
		all[resource.PropertyKey(name)] = decrypted(value)
	}
	return all
}

// decrypted turns an exported value into a property. With --show-secrets an export has
// secrets as plain text.
func decrypted(value any) resource.PropertyValue {
	object, ok := value.(map[string]any)
	if !ok || object[signatureKey] == nil {
		if list, ok := value.([]any); ok {
			values := make([]resource.PropertyValue, len(list))
			for i := range list {
				values[i] = decrypted(list[i])
			}
			return resource.NewProperty(values)
		}
		if ok {
			members := resource.PropertyMap{}
			for name := range object {
				members[resource.PropertyKey(name)] = decrypted(object[name])
			}
			return resource.NewProperty(members)
		}
		return resource.NewPropertyValue(value)
	}
	text, shown := object["plaintext"].(string)
	var content any
	if object[signatureKey] == secretSignature && shown && json.Unmarshal([]byte(text), &content) == nil {
		return resource.MakeSecret(resource.NewPropertyValue(content))
	}
	return resource.MakeComputed(resource.NewProperty(""))
}
