// An OpenID provider on https://localhost, made with the npm package oidc-provider. It reads its
// certificate and its signing keys from a directory: node provider.mjs PORT DIRECTORY
import { readFileSync } from 'node:fs';
import https from 'node:https';
import Provider from 'oidc-provider';

const [port, directory] = process.argv.slice(2);
const read = (name) => readFileSync(`${directory}/${name}`);
const issuer = `https://localhost:${port}`;
const provider = new Provider(issuer, {
  jwks: JSON.parse(read('private.json')),
  cookies: { keys: ['only for this test'] },
  scopes: ['openid', 'offline_access'],
  clients: [{
    client_id: 'web', client_secret: 'only-for-this-test', redirect_uris: ['https://app.example.com/callback'],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'], response_types: ['code'],
  }],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, audience) => ({ scope: 'read:items', audience, accessTokenFormat: 'jwt' }),
    },
  },
});
https.createServer({ key: read('key.pem'), cert: read('cert.pem') }, provider.callback())
  .listen(Number(port), '127.0.0.1', () => console.log('ready'));
