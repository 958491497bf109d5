package role

default allow := false

# The setting claims names https://example.com/roles.
allow if "support" in input.claims["https://example.com/roles"]

default decision := {"allow": false, "reasons": {"the role support is required"}}

decision := {"allow": true, "reasons": set()} if allow
