package profile_test

import data.profile

denied := {"allow": false, "reasons": {`role "member" is required`}}

test_the_role_allows if {
	profile.decision.allow == true with input as {"claims": {"realm_access": {"roles": ["guest", "member"]}}}
}

test_another_role_does_not if {
	profile.decision == denied with input as {"claims": {"realm_access": {"roles": ["guest"]}}}
}

test_a_scope_of_its_name_does_not if {
	profile.decision == denied with input as {"scope": "member"}
}
