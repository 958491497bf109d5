package update_test

import data.update

test_the_scope_allows if {
	update.decision.allow == true with input as {"scope": "get:profile update:profile"}
}

test_another_scope_does_not if {
	update.decision == {
		"allow": false,
		"reasons": {`scope "update:profile" is required`},
	} with input as {"scope": "get:profile"}
}
