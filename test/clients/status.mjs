// Checks a token offline, by the published keys and its status list, with jose and @sd-jwt/jwt-status-list. It takes the
// addresses of the server and of the issuer as arguments and the token as the variable TOKEN, and prints one JSON line
// with the status: 0 valid, 1 invalid, 2 suspended. A token or a list that is not in order is an error.
import assert from 'node:assert/strict'
import { getListFromStatusListJWT } from '@sd-jwt/jwt-status-list'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const [server, issuer] = process.argv.slice(2)
const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', server))
const signed = { issuer, algorithms: ['ES256'] }

// fetchList returns the list at an address, verified, as the JWT that it is.
async function fetchList(uri) {
  const answer = await fetch(uri, { headers: { accept: 'application/statuslist+jwt' }, redirect: 'error' })
  assert.equal(answer.status, 200, uri)
  assert.equal(answer.headers.get('content-type'), 'application/statuslist+jwt')
  const jwt = await answer.text()
  const { payload } = await jwtVerify(jwt, keys, {
    ...signed,
    typ: 'statuslist+jwt',
    subject: uri,
    requiredClaims: ['iat', 'exp', 'ttl', 'status_list'],
  })
  return { jwt, payload }
}

const { payload: claims } = await jwtVerify(process.env.TOKEN, keys, signed)
const { idx, uri } = claims.status.status_list
assert.ok(Number.isInteger(idx) && idx >= 0, `idx is ${idx}`)
assert.ok(uri.startsWith(`${issuer}/statuslists/`), `uri is ${uri}`)
const { jwt, payload } = await fetchList(uri)
const list = getListFromStatusListJWT(jwt)
const { ttl, exp, iat } = payload
console.log(JSON.stringify({ status: list.getStatus(idx), idx, uri, bits: list.getBitsPerStatus(), ttl, lifetime: exp - iat }))
