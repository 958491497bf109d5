package own_test

import data.own

test_own_record if own.decision.allow with input as {"principal": "auth0|1", "parameters": {"account": "auth0|1"}}

test_another_record if {
	not own.decision.allow with input as {"principal": "auth0|1", "parameters": {"account": "auth0|2"}}
}

test_nobody if not own.decision.allow with input as {}
