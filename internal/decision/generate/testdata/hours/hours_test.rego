package hours_test

import data.hours

at(text) := {"time": time.parse_rfc3339_ns(text)}

test_open if hours.decision.allow with input as at("2026-06-17T09:00:00+02:00")

test_closed[text] if {
	some text in ["2026-06-17T08:59:59+02:00", "2026-06-17T17:00:00+02:00", "2026-06-20T12:00:00+02:00"]
	not hours.decision.allow with input as at(text)
}
