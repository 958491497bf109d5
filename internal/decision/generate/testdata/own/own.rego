package own

default allow := false

# GET /accounts/{account}/profile
allow if {
	input.principal == input.parameters.account
}

default decision := {"allow": false, "reasons": {"you may read your own profile only"}}

decision := {"allow": true, "reasons": set()} if allow
