// One typed client for the four contracts of a Tokenwright server. The types of the contracts are generated; this file
// adds the credential and one way to handle errors.
import createClient, { type Client, type Middleware } from 'openapi-fetch'
import type { components as APIToken, paths as APITokenPaths } from './generated/apitoken.js'
import type { components as Muninx, paths as MuninxPaths } from './generated/muninx.js'
import type { components as Service, paths as ServicePaths } from './generated/service.js'
import type { components as Unleash, paths as UnleashPaths } from './generated/unleash.js'

export type * as apitoken from './generated/apitoken.js'
export type * as muninx from './generated/muninx.js'
export type * as service from './generated/service.js'
export type * as unleash from './generated/unleash.js'
export { contractVersions } from './generated/versions.js'

/** Problem details (RFC 9457): the errors of the contracts `muninx` and `service`. */
export type Problem = Muninx['schemas']['Problem'] | Service['schemas']['Problem']

/** The errors of the contract `apitoken`; with the code `validation_errors` they have `errors`, by member. */
export type APITokenError = APIToken['schemas']['ApiToken_Error']

/** The errors of the contract `unleash`. */
export type UnleashError = Unleash['schemas']['apiErrorSchema']

/** Every error that a server answers with. The three functions below tell them apart. */
export type ContractError = Problem | APITokenError | UnleashError

/** Whether an error is one of `muninx` or `service`. */
export const isProblem = (error: unknown): error is Problem => has(error, 'type', 'request_id')

/** Whether an error is one of `apitoken`. */
export const isAPITokenError = (error: unknown): error is APITokenError => has(error, 'code', 'message')

/** Whether an error is one of `unleash`. */
export const isUnleashError = (error: unknown): error is UnleashError => has(error, 'name', 'details')

const has = (value: unknown, ...members: string[]): boolean =>
  typeof value === 'object' && value !== null && members.every((member) => member in value)

/** A secret, or what gets one for each request: from a file that changes, say. */
export type Credential = string | (() => string | Promise<string>)

/** The names of the contracts. */
export type Contract = 'muninx' | 'apitoken' | 'unleash' | 'service'

/** How to reach a server. */
export interface Options {
  /** One credential for all contracts, or one for each. Without one, only what is open to everybody can be called. */
  credential?: Credential | Partial<Record<Contract, Credential>>
  /** What sends the requests; the global fetch by default. */
  fetch?: (request: Request) => Promise<Response>
}

/** The four contracts of one server, each an openapi-fetch client of its own. */
export interface Tokenwright {
  muninx: Client<MuninxPaths>
  apitoken: Client<APITokenPaths>
  unleash: Client<UnleashPaths>
  service: Client<ServicePaths>
}

/**
 * Connects to the server at a URL. Nothing is sent before the first call.
 *
 * Redirects are errors, because a credential is for the server that was named and not for one that it points to.
 */
export function connect(url: string | URL, options: Options = {}): Tokenwright {
  const shared = { baseUrl: String(url), redirect: 'error' as const, ...(options.fetch && { fetch: options.fetch }) }
  const open = <Paths extends object>(contract: Contract, form: Form): Client<Paths> => {
    const client = createClient<Paths>(shared)
    const credential = credentialFor(contract, options.credential)
    if (credential !== undefined) client.use(authorize(credential, form))
    return client
  }
  const service = open<ServicePaths>('service', bearer)
  service.use(introspectAsForm)
  return {
    muninx: open('muninx', bearer),
    apitoken: open('apitoken', bearer),
    unleash: open('unleash', bare),
    service,
  }
}

/** Form is how a contract writes a secret into the header Authorization. */
type Form = (secret: string) => string

const bearer: Form = (secret) => `Bearer ${secret}`

/** A JWT of an OIDC issuer is a bearer in this contract too. */
const bare: Form = (secret) => (secret.startsWith('eyJ') ? bearer(secret) : secret)

function credentialFor(contract: Contract, given: Options['credential']): Credential | undefined {
  return typeof given === 'object' ? given[contract] : given
}

function authorize(credential: Credential, form: Form): Middleware {
  return {
    async onRequest({ request }) {
      const secret = typeof credential === 'function' ? await credential() : credential
      request.headers.set('Authorization', form(secret))
      return request
    },
  }
}

/** RFC 7662 wants a form where all other operations want JSON. */
const introspectAsForm: Middleware = {
  async onRequest({ request, schemaPath }) {
    if (schemaPath !== '/introspect') return undefined
    const form = new URLSearchParams(await request.clone().json())
    const headers = new Headers(request.headers)
    headers.set('Content-Type', 'application/x-www-form-urlencoded')
    return new Request(request, { headers, body: form.toString() })
  },
}

/** What a call of openapi-fetch comes to: its data or its error. */
interface Outcome<Data, Failure> {
  data?: Data
  error?: Failure
  response: Response
}

/** An answer that is no success, thrown by {@link need}. */
export class Refusal<Failure = ContractError> extends Error {
  override readonly name = 'Refusal'
  /** The status code. */
  readonly status: number
  /** Names the request in the server's log. */
  readonly requestId: string | undefined
  /** Seconds after which to try again, where the server says so. */
  readonly retryAfter: number | undefined
  /** The body as its contract has it; a text or nothing if something between here and the server answered. */
  readonly error: Failure | string | undefined

  constructor(error: Failure | string | undefined, response: Response) {
    super(`${response.status}: ${describe(error)}`)
    this.status = response.status
    this.requestId = response.headers.get('X-Request-Id') ?? undefined
    this.retryAfter = Number(response.headers.get('Retry-After')) || undefined
    this.error = error
  }
}

/** describe is the sentence of an error that is meant for people. */
function describe(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error ?? 'no reason given')
  const texts = error as { detail?: unknown; message?: unknown }
  return String(texts.detail ?? texts.message ?? 'no reason given')
}

/** Returns the data of a successful call, and throws a {@link Refusal} otherwise. */
export async function need<Data, Failure>(call: Promise<Outcome<Data, Failure>>): Promise<Data> {
  const { data, error, response } = await call
  if (!response.ok) throw new Refusal(error, response)
  return data as Data
}
