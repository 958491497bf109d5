package adoption

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// The sample's values, read where they are shipped: no other file of Go names them.
var (
	shippedProject  = shipped("Pulumi.yaml", `(?m)^name: (\S+)$`)
	shippedAudience = shipped("Pulumi.dev.yaml", `(?m)^ +audience: (\S+)$`)
	shippedScope    = shipped("policies/profile/profile.rego", `"([^"]+)" in split\(`)
	profile         = shipped("handlers/profile/handler.go", "byte\\(`([^`]+)`\\)")
)

// shipped is the first group of the pattern's one match in a file of the project.
func shipped(name, pattern string) string {
	content, err := os.ReadFile(filepath.Join(origin, name))
	if err != nil {
		panic(err)
	}
	matches := regexp.MustCompile(pattern).FindAllSubmatch(content, -1)
	if len(matches) != 1 {
		panic(fmt.Sprintf("%s: expected one match of %s, got %d", name, pattern, len(matches)))
	}
	return string(matches[0][1])
}
