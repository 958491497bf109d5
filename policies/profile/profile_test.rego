package profile_test

import data.profile

denied := {"allow": false, "reasons": {`scope "get:profile" is required`}}

allowed := {"allow": true, "reasons": set()}

scopes_that_grant := {
	"the scope alone": "get:profile",
	"the scope before another": "get:profile update:profile",
	"the scope after another": "update:profile get:profile",
	"the scope between others": "openid get:profile update:profile",
	"the scope twice": "get:profile get:profile",
	"a leading space": " get:profile",
	"a trailing space": "get:profile ",
	"a doubled space": "update:profile  get:profile",
}

inputs_that_do_not := {
	"another scope": {"scope": "update:profile"},
	"an empty scope": {"scope": ""},
	"a scope of spaces": {"scope": "   "},
	"a longer name": {"scope": "get:profiles"},
	"a name with a digit appended": {"scope": "get:profile2"},
	"a name with a letter in front": {"scope": "xget:profile"},
	"a narrower name": {"scope": "get:profile:name"},
	"the first half of the name": {"scope": "get:"},
	"the second half of the name": {"scope": ":profile"},
	"the name in two parts": {"scope": "get: profile"},
	"upper case": {"scope": "GET:PROFILE"},
	"title case": {"scope": "Get:Profile"},
	"a wildcard verb": {"scope": "*:profile"},
	"a wildcard resource": {"scope": "get:*"},
	"a lone wildcard": {"scope": "*"},
	"commas between scopes": {"scope": "get:profile,update:profile"},
	"a tab between scopes": {"scope": "get:profile\tupdate:profile"},
	"a newline between scopes": {"scope": "get:profile\nupdate:profile"},
	"a no-break space between scopes": {"scope": "get:profile\u00a0update:profile"},
	"a plus between scopes": {"scope": "get:profile+update:profile"},
	"a trailing newline": {"scope": "get:profile\n"},
	"a quoted name": {"scope": `"get:profile"`},
	"a scope that is null": {"scope": null},
	"a scope that is true": {"scope": true},
	"a scope that is a number": {"scope": 1},
	"a scope that is an array": {"scope": ["get:profile"]},
	"a scope that is an object": {"scope": {"get:profile": "get:profile"}},
	"the scope under another name": {"scopes": "get:profile"},
	"the scope in another case": {"Scope": "get:profile"},
	"the scope as the principal": {"principal": "get:profile"},
	"a principal without a scope": {"principal": "reader@clients"},
	"an empty input": {},
	"an input that is null": null,
	"an input that is a string": "get:profile",
	"an input that is an array": ["get:profile"],
}

test_allow[name] if {
	some name, scope in scopes_that_grant
	profile.allow with input as {"scope": scope}
	profile.decision == allowed with input as {"scope": scope}
}

test_deny[name] if {
	some name, document in inputs_that_do_not
	profile.allow == false with input as document
	profile.decision == denied with input as document
}

test_deny_without_any_input if {
	profile.allow == false
	profile.decision == denied
}

test_principal_makes_no_difference if {
	profile.decision == allowed with input as {"principal": "reader@clients", "scope": "get:profile"}
	profile.decision == denied with input as {"principal": "auth0|admin", "scope": "update:profile"}
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
