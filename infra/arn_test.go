package infra

import (
	"regexp"
	"strings"
	"testing"
)

// A correction that is refused in turn is worse than none.
func FuzzDomainCorrection(f *testing.F) {
	for _, domain := range []string{"api.example.com", "https://API.example.com:443/v1", "api.example.com.", "-", "a..b", " x.y ", "://", "é.example.com"} {
		f.Add(domain)
	}
	correction := regexp.MustCompile(`set "([^"]*)"$`)
	f.Fuzz(func(t *testing.T, domain string) {
		err := checkDomain(domain, "certificate")
		if err == nil {
			return
		}
		fixed := correction.FindStringSubmatch(err.Error())
		if fixed == nil {
			t.Fatalf("expected a correction, got %v", err)
		}
		if err := checkDomain(fixed[1], "certificate"); err != nil {
			t.Errorf("expected the correction of %q to be accepted, got %v", domain, err)
		}
	})
}

func TestExampleARNsAreAccepted(t *testing.T) {
	for _, form := range []arnForm{webACLForm, kmsKeyForm, topicForm, certificateForm} {
		example := strings.Replace(form.example, "REGION", "eu-central-1", 1)
		if err := checkARN(example, form, "eu-central-1"); err != nil {
			t.Error(err)
		}
		if err := checkARN(example, form, "eu-west-1"); err == nil || !strings.Contains(err.Error(), strings.Replace(example, "eu-central-1", "eu-west-1", 1)) {
			t.Errorf("expected the ARN in the stack's region, got %v", err)
		}
		if err := checkARN(example+"\n", form, "eu-central-1"); err == nil {
			t.Errorf("expected %q with a line break to be refused", example)
		}
	}
}
