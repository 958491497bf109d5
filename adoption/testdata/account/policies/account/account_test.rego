package account_test

import data.account

test_the_scope_allows if {
	account.decision.allow == true with input as {"scope": "read:accounts"}
}

test_another_scope_does_not if {
	account.decision == {
		"allow": false,
		"reasons": {`scope "read:accounts" is required`},
	} with input as {"scope": "get:profile"}
}
