// What the package says of itself.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { contractVersions } from '@tokenwright/client'

/** The version of what is written by hand here: it moves when that changes and no contract does. */
const wrapper = '0.0.0'

const read = (path: string): Promise<string> => readFile(path, 'utf8') // the tests run in the package's folder

test('the version is the sum of those of the contracts', async () => {
  const parts = [...Object.values(contractVersions), wrapper].map((version) => version.split('.').map(Number))
  const sum = [0, 1, 2].map((at) => parts.reduce((total, part) => total + (part[at] ?? Number.NaN), 0))
  assert.equal(JSON.parse(await read('package.json')).version, sum.join('.'))
})

test('the licence is that of the repository', async () => {
  assert.equal(await read('LICENSE'), await read('../../LICENSE'))
  assert.equal(JSON.parse(await read('package.json')).license, 'Apache-2.0')
})
