# METADATA
# title: Access to the update of a profile
# scope: package
package update

# METADATA
# title: May the caller update a profile?
# scope: document
default allow := false

allow if "update:profile" in split(input.scope, " ")

# METADATA
# title: The decision, and why
# entrypoint: true
default decision := {"allow": false, "reasons": {`scope "update:profile" is required`}}

decision := {"allow": true, "reasons": set()} if allow == true
