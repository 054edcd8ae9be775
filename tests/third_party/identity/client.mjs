// A client that nobody here wrote (panva/oauth4webapi): discovery, client credentials with private_key_jwt, DPoP with
// nonces. It is told what to do as JSON on standard input, and prints each answer's status and body.
import { readFileSync } from 'node:fs'
import * as oauth from 'oauth4webapi'

const told = JSON.parse(readFileSync(0, 'utf8'))
const insecure = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(told.issuer)
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
const own = await crypto.subtle.importKey('jwk', told.jwk, algorithm, false, ['sign'])
const client = { client_id: told.client_id }
const DPoP = oauth.DPoP(client, await oauth.generateKeyPair(told.algorithm ?? 'ES256'))

const answer = await oauth.clientCredentialsGrantRequest(
  server,
  client,
  oauth.PrivateKeyJwt(own),
  { scope: told.scope, resource: told.resource },
  { DPoP, ...insecure },
)
const { access_token: token } = await oauth.processClientCredentialsResponse(server, client, answer)

const ask = ({ method, url, body, headers }) =>
  oauth.protectedResourceRequest(
    token,
    method,
    new URL(url),
    new Headers({ ...headers, 'content-type': 'application/json' }),
    body && JSON.stringify(body),
    { DPoP, ...insecure },
  )

let asked = 0
const said = []
for (const request of told.requests) {
  let response
  try {
    asked += 1
    response = await ask(request)
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    asked += 1
    response = await ask(request)
  }
  said.push({ status: response.status, body: await response.json() })
}
console.log(JSON.stringify({ token, asked, said }))
