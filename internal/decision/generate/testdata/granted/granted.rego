package granted

default allow := false

allow if "read:reports" in split(input.scope, " ")

allow if "read:reports" in split(input.permissions, " ")

default decision := {"allow": false, "reasons": {"the scope or permission read:reports is required"}}

decision := {"allow": true, "reasons": set()} if allow
