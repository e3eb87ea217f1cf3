// Introspects tokens as a service does that uses openid-client as it is. It reads one JSON request from the standard
// input, {issuer, endpoint, scheme, credential, tokens}, and prints a JSON array with an outcome for each token.
import { json } from 'node:stream/consumers'
import * as oauth from 'openid-client'

const { issuer, endpoint, scheme, credential, tokens } = await json(process.stdin)

const schemes = {
  basic: oauth.ClientSecretBasic(credential),
  bearer: (_server, _client, _body, headers) => headers.set('authorization', `Bearer ${credential}`),
}

// There is no discovery document, so the endpoint is given, and that the server is plain HTTP on loopback is allowed.
const server = new oauth.Configuration({ issuer, introspection_endpoint: endpoint }, 'any', {}, schemes[scheme])
oauth.allowInsecureRequests(server)

// failure is an error of the library, with the code that the server gave: in the body, or in its challenges.
function failure(err) {
  const challenges = err instanceof oauth.WWWAuthenticateChallengeError ? err.cause : []
  const code = err.error ?? challenges.map((c) => c.parameters.error).find(Boolean)
  return { type: err.constructor.name, status: err.status, code }
}

async function introspect(token) {
  try {
    return { claims: await oauth.tokenIntrospection(server, token) }
  } catch (err) {
    return { failure: failure(err) }
  }
}

console.log(JSON.stringify(await Promise.all(tokens.map(introspect))))
