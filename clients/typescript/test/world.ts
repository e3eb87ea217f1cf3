// What the tests are told of the server that runs for them.
import assert from 'node:assert/strict'

function variable(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: run these tests by \`make test\`, which starts a server for them`)
  return value
}

export const server = variable('TOKENWRIGHT_SERVER')
export const admin = variable('TOKENWRIGHT_ADMIN')
export const member = variable('TOKENWRIGHT_MEMBER')
export const account = variable('TOKENWRIGHT_ACCOUNT')
export const environment = variable('TOKENWRIGHT_ENVIRONMENT')

/** The address of a server that refuses everything with one status, in the words of the contracts. */
export const refusing = (status: number): string => `${variable('TOKENWRIGHT_REFUSING')}/${status}`

/** present fails the test if there is no such value, and narrows its type. */
export function present<T>(value: T | undefined | null, what = 'a value'): T {
  assert.ok(value !== undefined && value !== null, `${what} is missing`)
  return value
}
