package hours

default allow := false

allow if {
	[hour, _, _] := time.clock([input.time, "Europe/Berlin"])
	hour >= 9
	hour < 17
	not time.weekday([input.time, "Europe/Berlin"]) in {"Saturday", "Sunday"}
}

default decision := {"allow": false, "reasons": {"the office is closed"}}

decision := {"allow": true, "reasons": set()} if allow
