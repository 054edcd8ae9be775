// An OpenID provider that nobody here wrote (panva/node-oidc-provider), for the tests: what it is told comes as JSON
// on standard input, and it says "ready" once it listens.
import { readFileSync } from 'node:fs'
import Provider from 'oidc-provider'

const told = JSON.parse(readFileSync(0, 'utf8'))
const clients = told.clients.map(({ client_id, jwk }) => ({
  client_id,
  jwks: { keys: [jwk] },
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_signing_alg: 'ES256',
  grant_types: ['client_credentials'],
  response_types: [],
  id_token_signed_response_alg: 'ES256',
  redirect_uris: [],
}))
const claims = Object.fromEntries(told.clients.map(({ client_id, claims }) => [client_id, claims]))

const provider = new Provider(told.issuer, {
  clients,
  jwks: { keys: told.keys },
  enabledJWA: { dPoPSigningAlgValues: ['ES256', 'EdDSA'] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: told.scope,
        audience: told.audience,
        accessTokenTTL: 300,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  extraTokenClaims: (_, token) => claims[token.clientId],
})
provider.listen(Number(new URL(told.issuer).port), '127.0.0.1', () => console.log('ready'))
