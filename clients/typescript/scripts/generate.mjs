// Writes src/generated from the specs: the types of each contract, and the versions of all. With --check it writes
// nothing and fails if something there is not what the specs say.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString } from 'openapi-typescript'

const contracts = ['muninx', 'apitoken', 'unleash', 'service']
const folder = new URL('../src/generated/', import.meta.url)
const specs = new URL('../../../openapi/', import.meta.url)
const mark = (source) => `// Code generated from openapi/${source} by scripts/generate.mjs. DO NOT EDIT.\n\n`

async function types(contract) {
  const nodes = await openapiTS(new URL(`${contract}.yaml`, specs), { alphabetize: false })
  return mark(`${contract}.yaml`) + astToString(nodes)
}

// versionOf reads info.version, which our rules for specs put on a line of its own.
function versionOf(contract) {
  const found = /^info:\n(?: .*\n)*? {2}version: (\S+)$/m.exec(readFileSync(new URL(`${contract}.yaml`, specs), 'utf8'))
  if (!found) throw new Error(`${contract}.yaml has no info.version`)
  return found[1]
}

function versions() {
  const lines = contracts.map((contract) => `  ${contract}: '${versionOf(contract)}',\n`)
  return `${mark('*.yaml')}/** The versions of the contracts that this package speaks. */\n` +
    `export const contractVersions = {\n${lines.join('')}} as const\n`
}

const wanted = new Map([['versions.ts', versions()]])
for (const contract of contracts) wanted.set(`${contract}.ts`, await types(contract))

const current = (name) => {
  try {
    return readFileSync(new URL(name, folder), 'utf8')
  } catch {
    return undefined
  }
}
const stale = [...wanted].filter(([name, text]) => current(name) !== text).map(([name]) => name)
if (process.argv.includes('--check')) {
  if (stale.length > 0) {
    console.error(`not what the specs say: ${stale.join(', ')}; run \`make clients-gen\` and commit`)
    process.exitCode = 1
  }
} else {
  mkdirSync(folder, { recursive: true })
  for (const name of stale) writeFileSync(new URL(name, folder), wanted.get(name))
}
