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
#         method: {"type":"string"}
#         path: {"items":{"type":"string"},"type":"array"}
#         resource: {"type":"string"}
#         parameters: {"additionalProperties":{"type":"string"},"type":"object"}
#         query: {"additionalProperties":{"items":{"type":"string"},"type":"array"},"type":"object"}
#         time: {"type":"number"}
#         principal: {"type":"string"}
#         scope: {"type":"string"}
#         permissions: {"type":"string"}
#         azp: {"type":"string"}
#         issuer: {"type":"string"}
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
