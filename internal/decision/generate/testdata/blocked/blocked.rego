package blocked

default allow := false

allow if {
	client := input.azp # without a client no rule allows
	not client in data.blocked.clients
}

default decision := {"allow": false, "reasons": {"this client is blocked"}}

decision := {"allow": true, "reasons": set()} if allow
