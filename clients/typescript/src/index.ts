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

/** Every error body of a server. The three functions below distinguish them. */
export type ContractError = Problem | APITokenError | UnleashError

/** Whether an error is one of `muninx` or `service`. */
export const isProblem = (error: unknown): error is Problem => has(error, 'type', 'request_id')

/** Whether an error is one of `apitoken`. */
export const isAPITokenError = (error: unknown): error is APITokenError => has(error, 'code', 'message')

/** Whether an error is one of `unleash`. */
export const isUnleashError = (error: unknown): error is UnleashError => has(error, 'name', 'details')

const has = (value: unknown, ...members: string[]): boolean =>
  typeof value === 'object' && value !== null && members.every((member) => member in value)

/** A secret, or a function that returns one for each request, for example from a file that changes. */
export type Credential = string | (() => string | Promise<string>)

/** The names of the contracts. */
export type Contract = 'muninx' | 'apitoken' | 'unleash' | 'service'

/** How to reach a server. */
export interface Options {
  /** One credential for all contracts, or one for each. Without one, only open operations can be called. */
  credential?: Credential | Partial<Record<Contract, Credential>>
  /** Sends the requests; the global fetch by default. */
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
 * Redirects are errors, because the credential is only for the configured server.
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

/** Form is how a contract puts a secret into the header Authorization. */
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

/** RFC 7662 requires a form, all other operations JSON. */
const introspectAsForm: Middleware = {
  async onRequest({ request, schemaPath }) {
    if (schemaPath !== '/introspect') return undefined
    const form = new URLSearchParams(await request.clone().json())
    const headers = new Headers(request.headers)
    headers.set('Content-Type', 'application/x-www-form-urlencoded')
    return new Request(request, { headers, body: form.toString() })
  },
}

/** The result of an openapi-fetch call: its data or its error. */
interface Outcome<Data, Failure> {
  data?: Data
  error?: Failure
  response: Response
}

/** A response other than 2xx, thrown by {@link need}. */
export class Refusal<Failure = ContractError> extends Error {
  override readonly name = 'Refusal'
  /** The status code. */
  readonly status: number
  /** Identifies the request in the server's log. */
  readonly requestId: string | undefined
  /** Seconds to wait before a retry, if the server says so. */
  readonly retryAfter: number | undefined
  /** The body as in its contract; a text or nothing if a proxy in between responded. */
  readonly error: Failure | string | undefined

  constructor(error: Failure | string | undefined, response: Response) {
    super(`${response.status}: ${describe(error)}`)
    this.status = response.status
    this.requestId = response.headers.get('X-Request-Id') ?? undefined
    this.retryAfter = Number(response.headers.get('Retry-After')) || undefined
    this.error = error
  }
}

/** describe is the message of an error for people. */
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
