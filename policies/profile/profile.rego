# METADATA
# title: Access to the profile endpoint
# description: |
#   Decides whether a caller may read a profile. The caller is authenticated already:
#   the input has claims of a verified token. What no rule allows is denied.
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
#           description: The sub claim. Absent without a token.
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
#   Only if one of the granted scopes is exactly the required one. A prefix, a wildcard or
#   another case does not count. The separator is a space.
# scope: document
default allow := false

allow if "get:profile" in split(input.scope, " ")

# METADATA
# title: The decision, and why
# description: |
#   The handler reads this document. A denial has a reason, which the client gets to
#   see. The condition is == true, because a bare allow would accept every value but
#   false.
# entrypoint: true
default decision := {"allow": false, "reasons": {`scope "get:profile" is required`}}

decision := {"allow": true, "reasons": set()} if allow == true
