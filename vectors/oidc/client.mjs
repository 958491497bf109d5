// A user who signs in with the authorization code flow and PKCE, and consents to everything. It
// prints the token endpoint's answer: node client.mjs ISSUER RESOURCE
import { createHash, randomBytes } from 'node:crypto';

const [issuer, resource] = process.argv.slice(2);
const callback = 'https://app.example.com/callback';
const cookies = new Map();

async function browse(url, options = {}) {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const response = await fetch(url, { ...options, redirect: 'manual', headers: { ...options.headers, cookie } });
  for (const line of response.headers.getSetCookie()) {
    const [name, value] = line.split(';')[0].split('=');
    cookies.set(name, value);
  }
  return response;
}

const verifier = randomBytes(32).toString('base64url');
const question = new URLSearchParams({
  client_id: 'web', response_type: 'code', redirect_uri: callback, resource, prompt: 'consent',
  scope: 'openid offline_access read:items',
  code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
});
let response = await browse(`${issuer}/auth?${question}`);
let code;
for (let step = 0; step < 20 && !code; step++) {
  const location = response.headers.get('location');
  if (location) {
    const next = new URL(location, issuer);
    if (next.searchParams.get('error')) throw new Error(next.search);
    code = next.searchParams.get('code');
    if (!code) response = await browse(next);
    continue;
  }
  const page = await response.text(); // a form to sign in, then one to consent
  const action = /action="([^"]+)"/.exec(page)?.[1];
  if (!action) throw new Error(page);
  const body = new URLSearchParams({ prompt: /name="prompt" value="([^"]+)"/.exec(page)?.[1], login: 'jo', password: 'any' });
  response = await browse(new URL(action, issuer), { method: 'POST', body });
}
response = await fetch(`${issuer}/token`, {
  method: 'POST',
  headers: { authorization: `Basic ${Buffer.from('web:only-for-this-test').toString('base64')}` },
  body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier, resource }),
});
console.log(JSON.stringify(await response.json()));
