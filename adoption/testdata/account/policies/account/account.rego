# METADATA
# title: Access to any profile
# scope: package
package account

# METADATA
# title: May the caller read any profile?
# scope: document
default allow := false

allow if "read:accounts" in split(input.scope, " ")

# METADATA
# title: The decision, and why
# entrypoint: true
default decision := {"allow": false, "reasons": {`scope "read:accounts" is required`}}

decision := {"allow": true, "reasons": set()} if allow == true
