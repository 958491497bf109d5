package granted_test

import data.granted

test_scope if granted.decision.allow with input as {"scope": "openid read:reports"}

test_permission if granted.decision.allow with input as {"permissions": "read:reports"}

test_neither if not granted.decision.allow with input as {"scope": "read:reports2", "permissions": ""}
