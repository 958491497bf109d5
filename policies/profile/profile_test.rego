package profile_test

import data.profile

# Each of these scopes is enough.
granting := {"get:profile"}

denied := {"allow": false, "reasons": {`scope "get:profile" is required`}}

allowed := {"allow": true, "reasons": set()}

# Scope claims that grant access. SCOPE stands for a scope that is enough.
claims_that_grant := {
	"the scope alone": "SCOPE",
	"the scope before another": "SCOPE another:scope",
	"the scope after another": "another:scope SCOPE",
	"the scope between others": "openid SCOPE another:scope",
	"the scope twice": "SCOPE SCOPE",
	"a leading space": " SCOPE",
	"a trailing space": "SCOPE ",
	"a doubled space": "another:scope  SCOPE",
}

# Scope claims that do not.
claims_that_do_not := {
	"another scope": "another:scope",
	"an empty scope": "",
	"a scope of spaces": "   ",
	"a longer name": "SCOPEs",
	"a name with a digit appended": "SCOPE2",
	"a name with a letter in front": "xSCOPE",
	"a narrower name": "SCOPE:name",
	"a lone wildcard": "*",
	"commas between scopes": "SCOPE,another:scope",
	"a tab between scopes": "SCOPE\tanother:scope",
	"a newline between scopes": "SCOPE\nanother:scope",
	"a no-break space between scopes": "SCOPE\u00a0another:scope",
	"a plus between scopes": "SCOPE+another:scope",
	"a trailing newline": "SCOPE\n",
	"a quoted name": `"SCOPE"`,
}

# Inputs that grant nothing, made of a scope that is enough.
inputs_that_do_not(scope) := {
	"upper case": {"scope": upper(scope)},
	"title case": {"scope": concat("", [upper(substring(scope, 0, 1)), substring(scope, 1, -1)])},
	"the first half of the name": {"scope": substring(scope, 0, 4)},
	"the second half of the name": {"scope": substring(scope, 4, -1)},
	"the name in two parts": {"scope": concat(" ", [substring(scope, 0, 4), substring(scope, 4, -1)])},
	"a wildcard at the end": {"scope": concat("", [substring(scope, 0, 4), "*"])},
	"a wildcard at the start": {"scope": concat("", ["*", substring(scope, 3, -1)])},
	"the scope under another name": {"scopes": scope},
	"the scope in another case": {"Scope": scope},
	"the scope as the principal": {"principal": scope},
	"the scope as a permission": {"permissions": scope},
	"the scope as the client": {"azp": scope},
	"a principal without a scope": {"principal": "reader@clients"},
	"an empty input": {},
	"an input that is null": null,
	"an input that is a string": scope,
	"an input that is an array": [scope],
}

test_allow[name] if {
	some name, claim in claims_that_grant
	every scope in granting {
		text := replace(claim, "SCOPE", scope)
		profile.allow with input as {"scope": text}
		profile.decision == allowed with input as {"scope": text}
	}
}

test_deny_a_claim[name] if {
	some name, claim in claims_that_do_not
	every scope in granting {
		text := replace(claim, "SCOPE", scope)
		profile.allow == false with input as {"scope": text}
		profile.decision == denied with input as {"scope": text}
	}
}

test_deny_an_input[name] if {
	some name in object.keys(inputs_that_do_not("any:scope"))
	every scope in granting {
		document := inputs_that_do_not(scope)[name]
		profile.allow == false with input as document
		profile.decision == denied with input as document
	}
}

test_deny_without_any_input if {
	profile.allow == false
	profile.decision == denied
}

test_other_claims_make_no_difference if {
	every scope in granting {
		others := {"principal": "auth0|admin", "permissions": "all", "azp": "admin"}
		profile.decision == allowed with input as object.union(others, {"scope": scope})
		profile.decision == denied with input as object.union(others, {"scope": "another:scope"})
	}
}

values_that_are_not_true := {
	"a number": 1,
	"zero": 0,
	"a string": "true",
	"an empty string": "",
	"null": null,
	"an object": {"allow": true},
	"an empty set": set(),
	"an array": [true],
}

test_only_true_allows[name] if {
	some name, value in values_that_are_not_true
	profile.decision == denied with profile.allow as value
}
