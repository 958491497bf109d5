# METADATA
# title: Access to the profile endpoint
# description: |
#   Decides whether a caller may read a profile. Whoever evaluates this policy has
#   authenticated the caller already: the input holds what a verified token says,
#   and no token. Whatever the policy does not explicitly allow, it denies.
# scope: package
# related_resources:
#   - ref: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
#     description: scope is a list of case-sensitive values with single spaces between
# schemas:
#   - input:
#       type: object
#       additionalProperties: false
#       properties:
#         principal:
#           description: The sub claim. Nothing here depends on it. Absent without a token.
#           type: string
#         scope:
#           description: The scope claim, e.g. "get:profile update:profile". May be absent.
#           type: string
#         permissions:
#           description: Auth0's permissions claim, with a space between. May be absent.
#           type: string
#         azp:
#           description: The azp claim, the client that obtained the token. May be absent.
#           type: string
package profile

# METADATA
# title: May the caller read a profile?
# description: |
#   Only with the exact value among those granted. No prefix, wildcard or other case
#   will do, and no separator but a space. The empty strings that a leading, trailing
#   or doubled space leaves behind grant nothing, as no requirement is empty.
# scope: document
default allow := false

allow if "get:profile" in split(input.scope, " ")

# METADATA
# title: The decision, and why
# description: |
#   The one document that a caller of this policy reads. A denial always has a
#   reason, fit to be shown to the client; an allowed request needs none. Nothing but
#   true allows: by itself, every value except false would do as a condition.
# entrypoint: true
default decision := {"allow": false, "reasons": {`scope "get:profile" is required`}}

decision := {"allow": true, "reasons": set()} if allow == true
