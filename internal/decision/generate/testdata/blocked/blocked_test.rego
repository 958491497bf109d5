package blocked_test

import data.blocked

test_another_client if blocked.decision.allow with input as {"azp": "web-app"}

test_blocked[client] if {
	some client in blocked.clients
	not blocked.decision.allow with input as {"azp": client}
}

test_no_client if not blocked.decision.allow with input as {}
