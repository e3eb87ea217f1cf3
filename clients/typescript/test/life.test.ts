// The life of a token in each contract, as a program lives it that uses the package.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, need } from '@tokenwright/client'
import { account, admin, environment, member, present, server } from './world.js'

const mine = connect(server, { credential: member })
const boss = connect(server, { credential: admin })

/** works is whether a secret opens the API, and which token it is. */
async function works(secret: string): Promise<string | undefined> {
  const { data, response } = await connect(server, { credential: secret }).service.GET('/service/me')
  if (response.status !== 401) assert.ok(data, `unexpected ${response.status}`)
  return data?.token?.id
}

/** change does what only an admin can do to a token. */
async function change(dialect: string, id: string, action: 'suspend' | 'activate' | 'revoke'): Promise<string> {
  const params = { path: { dialect, id } }
  return (await need(boss.service.POST(`/service/tokens/{dialect}/{id}/${action}`, { params }))).status
}

/** governed takes a token through the states that only an admin can give it. */
async function governed(dialect: string, id: string, secret: string): Promise<void> {
  assert.equal(await works(secret), id)
  assert.equal(await change(dialect, id, 'suspend'), 'suspended')
  assert.equal(await works(secret), undefined)
  assert.equal(await change(dialect, id, 'activate'), 'active')
  assert.equal(await works(secret), id)
  assert.equal(await change(dialect, id, 'revoke'), 'revoked')
  assert.equal(await works(secret), undefined)
}

test('muninx', async () => {
  const { id, token, name, created_at } = await need(mine.muninx.POST('/tokens', { body: { name: 'typescript' } }))
  assert.equal(name, 'typescript')
  assert.ok(Date.parse(created_at) > 0)
  const { items, next_cursor } = await need(mine.muninx.GET('/tokens', { params: { query: { limit: 1 } } }))
  assert.equal(present(items[0]).id, id)
  assert.equal(present(items[0]).expires_at, null)
  const rest = await need(mine.muninx.GET('/tokens', { params: { query: { cursor: present(next_cursor) } } }))
  assert.ok(rest.items.every((other) => other.id !== id))
  await governed('muninx', id, token)
  const params = { path: { id } }
  assert.equal((await need(mine.muninx.GET('/tokens/{id}', { params }))).status, 'revoked')
  assert.equal(await need(mine.muninx.DELETE('/tokens/{id}', { params })), undefined)
  assert.equal((await mine.muninx.GET('/tokens/{id}', { params })).response.status, 404)
})

test('apitoken', async () => {
  const body = { token_scope: 'environment', environment_id: environment } as const
  const { details, token } = await need(mine.apitoken.POST('/api/v1/api_token', { body }))
  assert.deepEqual([details.account_id, details.environment_id], [account, environment])
  const params = { path: { id: details.id } }
  const mark = async (action: 'suspend' | 'activate' | 'revoke'): Promise<string> =>
    (await need(mine.apitoken.POST(`/api/v1/api_token/{id}/${action}`, { params }))).details.status
  assert.equal(await works(token), details.id)
  assert.equal(await mark('suspend'), 'suspended')
  assert.equal(await works(token), undefined)
  assert.equal(await mark('activate'), 'active')
  assert.equal(await works(token), details.id)
  const list = await need(mine.apitoken.GET('/api/v1/api_token', { params: { query: { status: 'active', limit: 100 } } }))
  assert.ok(list.details.some(({ id, available_actions }) => id === details.id && available_actions.revoke))
  assert.equal(await mark('revoke'), 'revoked')
  assert.equal(await works(token), undefined)
  assert.equal((await need(mine.apitoken.GET('/api/v1/api_token/{id}', { params }))).details.last_used_at !== undefined, true)
  assert.equal(await need(mine.apitoken.DELETE('/api/v1/api_token/{id}', { params })), undefined)
  assert.equal((await mine.apitoken.GET('/api/v1/api_token/{id}', { params })).response.status, 404)
})

test('unleash', async () => {
  const { data, response } = await mine.unleash.POST('/api/admin/user/tokens', { body: { description: 'typescript' } })
  const { id, secret, seenAt } = present(data)
  assert.equal(response.headers.get('Location'), `${server}/api/admin/user/tokens/${id}`)
  assert.equal(seenAt, null)
  const { pats } = await need(mine.unleash.GET('/api/admin/user/tokens'))
  assert.equal(present(pats.at(-1)).description, 'typescript')
  // The secret of this contract goes out bare, and opens this contract's own door.
  assert.ok((await connect(server, { credential: { unleash: secret } }).unleash.GET('/api/admin/user/tokens')).data)
  await governed('unleash', String(id), secret)
  const params = { path: { id } }
  assert.equal((await need(mine.unleash.GET('/api/admin/user/tokens/{id}', { params }))).id, id)
  assert.equal(await need(mine.unleash.DELETE('/api/admin/user/tokens/{id}', { params })), undefined)
  assert.equal((await mine.unleash.GET('/api/admin/user/tokens/{id}', { params })).response.status, 404)
})

test('service', async () => {
  assert.equal((await need(connect(server).service.GET('/healthz'))).status, 'ok')
  const body = { subject: 'typescript', name: 'TypeScript', role: 'member', account_id: account } as const
  const made = await boss.service.POST('/service/users', { body })
  const user = present(made.data)
  assert.equal(made.response.headers.get('Location'), `${server}/service/users/${user.id}`)
  const params = { path: { id: user.id } }
  const first = await need(boss.service.POST('/service/users/{id}/tokens', { params, body: { name: 'first' } }))
  assert.equal(await works(first.token), first.id)
  assert.equal((await need(boss.service.POST('/service/users/{id}/disable', { params }))).disabled, true)
  assert.equal(await works(first.token), undefined)
  const query = { user_id: user.id, dialect: 'muninx' } as const
  assert.equal((await need(boss.service.GET('/service/tokens', { params: { query } }))).items.length, 1)
})

test('tokens are checked', async () => {
  const { token, id } = await need(mine.muninx.POST('/tokens', { body: { name: 'checked' } }))
  const verdict = await need(boss.service.POST('/introspect', { body: { token } }))
  assert.deepEqual([verdict.active, verdict.jti, verdict.dialect], [true, id, 'muninx'])
  const { results } = await need(boss.service.POST('/introspect/batch', { body: { tokens: [token, 'unknown'] } }))
  assert.deepEqual(results.map(({ active }) => active), [true, false])
  const { response } = await connect(server, { credential: token }).service.GET('/verify')
  assert.deepEqual([response.status, response.headers.get('X-Token-Id')], [204, id])
  const { keys } = await need(connect(server).service.GET('/.well-known/jwks.json'))
  assert.equal(present(keys[0]).crv, 'P-256')
  await need(mine.muninx.DELETE('/tokens/{id}', { params: { path: { id } } }))
  assert.equal((await need(boss.service.POST('/introspect', { body: { token } }))).active, false)
})

test('texts', async () => {
  const yaml = await need(connect(server).service.GET('/openapi/{name}', { params: { path: { name: 'muninx.yaml' } }, parseAs: 'text' }))
  assert.match(yaml, /^openapi: 3/)
  const list = await connect(server).service.GET('/statuslists/{list}', { params: { path: { list: 1 } }, parseAs: 'text' })
  assert.equal(list.response.status, 200)
})

test('a credential may be asked for', async () => {
  let asked = 0
  const credential = async (): Promise<string> => (asked++, member)
  const client = connect(server, { credential })
  await need(client.muninx.GET('/tokens'))
  await need(client.service.GET('/service/me'))
  assert.equal(asked, 2)
})
