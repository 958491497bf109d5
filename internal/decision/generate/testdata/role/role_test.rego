package role_test

import data.role

test_role if role.decision.allow with input as {"claims": {"https://example.com/roles": ["sales", "support"]}}

test_another_role if not role.decision.allow with input as {"claims": {"https://example.com/roles": ["sales"]}}

test_no_claims if not role.decision.allow with input as {}
