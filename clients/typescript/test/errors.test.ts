// Every error of the contracts is read as a value of its own type: by narrowing, and by what `need` throws.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  connect, isAPITokenError, isProblem, isUnleashError, need, Refusal, type APITokenError, type ContractError,
} from '@tokenwright/client'
import { admin, environment, member, present, refusing, server } from './world.js'

const mine = connect(server, { credential: member })
const nobody = connect(server, { credential: 'unknown' })
const text = { headers: { 'Content-Type': 'text/plain' } }
const past = '2020-01-01T00:00:00Z'
const long = 'x'.repeat(70_000)

/** problem holds an error against what it must be, and returns it. */
function problem<E extends { type: string; status: number; request_id: string }>(
  { error, response }: { error?: E; response: Response }, status: number, kind: string): E {
  const { type, status: inside, request_id } = present(error)
  assert.deepEqual([response.status, inside, type], [status, status, `urn:tokenwright:problem:${kind}`])
  assert.equal(request_id, response.headers.get('X-Request-Id'))
  return present(error)
}

test('muninx', async () => {
  const empty = problem(await mine.muninx.POST('/tokens', { body: { name: '' } }), 400, 'invalid')
  assert.equal(present(empty.errors?.[0]).pointer, '/name')
  const query = { limit: 0 }
  const limit = problem(await mine.muninx.GET('/tokens', { params: { query } }), 400, 'invalid')
  assert.equal(present(limit.errors?.[0]).parameter, 'limit')
  problem(await nobody.muninx.GET('/tokens'), 401, 'credential-invalid')
  problem(await mine.muninx.GET('/tokens/{id}', { params: { path: { id: 'unknown' } } }), 404, 'not-found')
  problem(await mine.muninx.POST('/tokens', { body: { name: long } }), 413, 'payload-too-large')
  problem(await mine.muninx.POST('/tokens', { body: { name: 'x' }, ...text }), 415, 'unsupported-media-type')
  const { token } = await need(mine.apitoken.POST('/api/v1/api_token', { body: { token_scope: 'account' } }))
  problem(await connect(server, { credential: token }).muninx.GET('/tokens'), 403, 'forbidden')
})

test('apitoken', async () => {
  const code = async (call: Promise<{ error?: APITokenError }>): Promise<string> => present((await call).error).code
  const create = (client: typeof mine, body: object, init = {}) =>
    client.apitoken.POST('/api/v1/api_token', { body: body as { token_scope: 'account' }, ...init })
  const { error } = await create(mine, { token_scope: 'account', expires_at: past })
  assert.equal(error?.code, 'validation_errors')
  assert.deepEqual(error.errors?.['expires_at'], ['must be in the future'])
  const params = { path: { id: 'unknown' } }
  assert.equal(await code(mine.apitoken.GET('/api/v1/api_token/{id}', { params })), 'not_found')
  assert.equal(await code(nobody.apitoken.GET('/api/v1/api_token')), 'unauthorized')
  assert.equal((await create(mine, { token_scope: 'account' }, text)).error?.code, 'unsupported_media_type')
  assert.equal((await create(mine, { token_scope: 'account', account_id: long })).error?.code, 'payload_too_large')
  const bound = await need(create(mine, { token_scope: 'environment', environment_id: environment }))
  const narrow = connect(server, { credential: bound.token })
  assert.equal((await create(narrow, { token_scope: 'account' })).error?.code, 'forbidden')
  const active = { params: { path: { id: bound.details.id } } }
  assert.equal((await mine.apitoken.DELETE('/api/v1/api_token/{id}', active)).error?.code, 'conflict')
})

test('unleash', async () => {
  const post = (body: { description?: string; expiresAt?: string }, init = {}, client = mine) =>
    client.unleash.POST('/api/admin/user/tokens', { body, ...init })
  const { id } = await need(post({ description: 'taken' }))
  const taken = present((await post({ description: 'taken' })).error)
  assert.deepEqual([taken.name, present(taken.details[0]).message], ['NameExistsError', taken.message])
  const early = present((await post({ expiresAt: past })).error)
  assert.deepEqual([early.name, present(early.details[0]).path], ['BadDataError', '/body/expiresAt'])
  assert.equal((await post({}, {}, nobody)).error?.name, 'UnauthorizedError')
  assert.equal((await post({}, {}, connect(server))).error?.name, 'AuthenticationRequired')
  assert.equal((await post({}, text)).error?.name, 'ContentTypeError')
  assert.equal((await post({ description: long })).error?.name, 'PayloadTooLargeError')
  const params = { path: { id: 999_999 } }
  assert.equal((await mine.unleash.GET('/api/admin/user/tokens/{id}', { params })).error?.name, 'NotFoundError')
  const { token } = await need(mine.apitoken.POST('/api/v1/api_token', { body: { token_scope: 'account' } }))
  assert.equal((await post({}, {}, connect(server, { credential: token }))).error?.name, 'ForbiddenError')
  await need(mine.unleash.DELETE('/api/admin/user/tokens/{id}', { params: { path: { id } } }))
})

test('service', async () => {
  const boss = connect(server, { credential: admin })
  problem(await mine.service.GET('/service/users'), 403, 'forbidden')
  problem(await nobody.service.GET('/service/me'), 401, 'credential-invalid')
  problem(await boss.service.GET('/service/users/{id}', { params: { path: { id: 999_999 } } }), 404, 'not-found')
  problem(await boss.service.POST('/service/users/{id}/disable', { params: { path: { id: 1 } } }), 409, 'conflict')
  const empty = problem(await boss.service.POST('/service/accounts', { body: { name: '' } }), 400, 'invalid')
  assert.equal(present(empty.errors?.[0]).pointer, '/name')
  const refused = problem(await nobody.service.POST('/introspect', { body: { token: 'x' } }), 401, 'credential-invalid')
  assert.equal(refused.error, 'invalid_client')
})

/** refusal is what a call throws. */
async function refusal(call: Promise<unknown>): Promise<Refusal> {
  const thrown: unknown = await call.then(() => undefined, (reason: unknown) => reason)
  assert.ok(thrown instanceof Refusal, String(thrown))
  return thrown
}

/** kind names an error of any contract. */
function kind(error: ContractError | string | undefined): string {
  if (isProblem(error)) return error.type
  if (isAPITokenError(error)) return error.code
  assert.ok(isUnleashError(error))
  return error.name
}

test('refusals', async () => {
  const kinds: Record<number, string[]> = {
    429: ['urn:tokenwright:problem:too-many-requests', 'too_many_requests', 'RateLimitError'],
    500: ['urn:tokenwright:problem:internal-error', 'internal_error', 'UnknownError'],
    503: ['urn:tokenwright:problem:service-unavailable', 'service_unavailable', 'ServiceUnavailableError'],
  }
  for (const status of [429, 500, 503]) {
    const broken = connect(refusing(status), { credential: member })
    const refusals = [
      await refusal(need(broken.muninx.POST('/tokens', { body: { name: 'x' } }))),
      await refusal(need(broken.apitoken.POST('/api/v1/api_token', { body: { token_scope: 'account' } }))),
      await refusal(need(broken.unleash.POST('/api/admin/user/tokens', { body: {} }))),
      await refusal(need(broken.service.GET('/service/me'))),
    ]
    assert.deepEqual(refusals.slice(0, 3).map(({ error }) => kind(error)), kinds[status])
    assert.equal(kind(present(refusals[3]).error), kinds[status]?.[0])
    for (const { status: got, retryAfter, requestId, message } of refusals) {
      assert.deepEqual([got, retryAfter], [status, status === 500 ? undefined : 1])
      assert.ok(requestId)
      assert.match(message, new RegExp(`^${status}: \\w`))
    }
  }
})

test('answers of something else', async () => {
  const answer = (body: string, status: number) => async () => new Response(body, { status })
  const proxy = connect(server, { fetch: answer('<h1>Bad Gateway</h1>', 502) })
  const thrown = await refusal(need(proxy.muninx.GET('/tokens')))
  assert.deepEqual([thrown.error, thrown.requestId, thrown.retryAfter], ['<h1>Bad Gateway</h1>', undefined, undefined])
  const silent = connect(server, { fetch: answer('', 502) })
  assert.match((await refusal(need(silent.muninx.GET('/tokens')))).message, /^502: /)
})

test('a redirect is not followed', async () => {
  const away = connect(refusing(302), { credential: member })
  await assert.rejects(need(away.muninx.GET('/tokens')), TypeError)
})
