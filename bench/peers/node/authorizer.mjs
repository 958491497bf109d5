// An authorizer in Node without any package: Node's own crypto and HTTP, and a Runtime
// API loop in place of the managed runtime's. It does less than the stacks that people
// deploy, which load jsonwebtoken and jwks-rsa first, so it is a lower bound for them.
import { createPublicKey, verify } from 'node:crypto'
import http from 'node:http'

const agent = new http.Agent({ keepAlive: true })
const runtime = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/`

const request = (url, method = 'GET', body) => new Promise((resolve, reject) => {
  const call = http.request(url, { method, agent }, response => {
    const chunks = []
    response.on('data', chunk => chunks.push(chunk))
    response.on('end', () => resolve({ headers: response.headers, text: Buffer.concat(chunks).toString() }))
  })
  call.on('error', reject)
  call.end(body)
})

const keys = new Map()
if (process.env.PREFETCH) {
  for (const jwk of JSON.parse((await request(process.env.JWKS_URI)).text).keys) {
    keys.set(jwk.kid, createPublicKey({ key: jwk, format: 'jwk' }))
  }
}

const part = text => JSON.parse(Buffer.from(text, 'base64url').toString())

const authenticate = event => {
  const token = /^Bearer (.+)$/.exec(event.authorizationToken)[1]
  const [header, payload, signature] = token.split('.')
  const { alg, kid } = part(header)
  const claims = part(payload)
  const genuine = alg === 'RS256' &&
    verify('sha256', Buffer.from(`${header}.${payload}`), keys.get(kid), Buffer.from(signature, 'base64url'))
  const now = Date.now() / 1000
  if (!genuine || claims.iss !== process.env.TOKEN_ISSUER || claims.aud !== process.env.AUDIENCE || claims.exp <= now) {
    throw new Error('Unauthorized')
  }
  return {
    principalId: claims.sub,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: event.methodArn }]
    },
    context: { scope: claims.scope }
  }
}

for (;;) {
  const { headers, text } = await request(`${runtime}next`)
  const id = headers['lambda-runtime-aws-request-id']
  try {
    await request(`${runtime}${id}/response`, 'POST', JSON.stringify(authenticate(JSON.parse(text))))
  } catch (error) {
    await request(`${runtime}${id}/error`, 'POST', JSON.stringify({ errorType: 'Error', errorMessage: error.message }))
  }
}
