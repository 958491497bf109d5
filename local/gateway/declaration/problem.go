package declaration

import (
	"fmt"
	"strings"
)

// Problem is one declared thing that is not modelled, or that API Gateway would not
// accept.
type Problem struct {
	Resource string // logical name in the program
	Type     string // Pulumi type token
	Property string // "" when the resource as a whole is meant
	Message  string // what is wrong, and the fix
}

func (p Problem) String() string {
	at := fmt.Sprintf("%s (%s)", p.Resource, p.Type)
	if p.Property != "" {
		at += ", property " + p.Property
	}
	return at + ": " + p.Message
}

// Unsupported is the error of [Read]. It names everything that keeps the stack from being
// served, so that one run shows all of it.
type Unsupported struct{ Problems []Problem }

func (u *Unsupported) Error() string {
	lines := []string{fmt.Sprintf("the stack cannot be served as it is declared: %d problem(s)", len(u.Problems))}
	for _, p := range u.Problems {
		lines = append(lines, "  "+p.String())
	}
	return strings.Join(lines, "\n")
}

// problems collects what [Read] refuses.
type problems struct{ list []Problem }

func (p *problems) add(token, name, property, format string, args ...any) {
	p.list = append(p.list, Problem{name, token, property, fmt.Sprintf(format, args...)})
}
