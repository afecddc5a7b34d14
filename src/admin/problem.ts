import { COMMAND_CODES, type CommandCode } from './model.js'

/** Codes of refused requests, each explained in `docs/errors.md`. */
const REQUEST_CODES = [
  'TSHA_E_TOKEN',
  'TSHA_E_HOST',
  'TSHA_E_CROSS_SITE',
  'TSHA_E_NO_RESOURCE',
  'TSHA_E_METHOD',
  'TSHA_E_REQUEST',
  'TSHA_E_TOO_LARGE',
  'TSHA_E_MEDIA_TYPE',
  'TSHA_E_TOO_MANY',
  'TSHA_E_SILENT'
] as const
export type RequestCode = (typeof REQUEST_CODES)[number]

/** Every code that the admin API answers with; the last one is a fault of ours. */
export const API_CODES = [...COMMAND_CODES, ...REQUEST_CODES, 'TSHA_E_INTERNAL'] as const
export type ApiCode = CommandCode | RequestCode | 'TSHA_E_INTERNAL'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

const TITLES: Readonly<Record<ApiCode, readonly [status: number, title: string]>> = {
  TSHA_E_UNKNOWN_NAME: [404, 'There is nothing of that name'],
  TSHA_E_CONFLICT: [409, 'Not possible in the present state'],
  TSHA_E_CONFIG_REFUSED: [422, 'The configuration is wrong'],
  TSHA_E_COMMAND: [422, 'The value cannot be used'],
  TSHA_E_TOKEN: [401, 'A valid token is needed'],
  TSHA_E_HOST: [421, 'This is not the name of this director'],
  TSHA_E_CROSS_SITE: [403, 'Requests of other sites are refused'],
  TSHA_E_NO_RESOURCE: [404, 'There is no such path'],
  TSHA_E_METHOD: [405, 'The method is not allowed here'],
  TSHA_E_REQUEST: [400, 'The request is not valid'],
  TSHA_E_TOO_LARGE: [413, 'The body is too large'],
  TSHA_E_MEDIA_TYPE: [415, 'The body must be JSON'],
  TSHA_E_TOO_MANY: [503, 'There are too many already'],
  TSHA_E_SILENT: [503, 'The director does not answer'],
  TSHA_E_INTERNAL: [500, 'tsha did something that its authors ruled out']
}

/** One thing that is wrong with a request. */
export interface RequestProblem {
  /** Where in the body, as RFC 9457 writes a JSON pointer: `#/weight`. */
  readonly pointer?: string
  /** Which part of the address, such as `since`. */
  readonly parameter?: string
  readonly detail: string
}

/** A problem of RFC 9457, as it leaves in `application/problem+json`. */
export interface ProblemBody {
  /** A reference to the explanation, relative to the documentation of tsha. */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ApiCode
  readonly problems: readonly RequestProblem[]
}

/** What a request is refused with. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem'
  readonly code: ApiCode
  readonly problems: readonly RequestProblem[]
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: ApiCode,
    detail: string,
    {
      problems = [],
      headers = {}
    }: { problems?: readonly RequestProblem[]; headers?: Readonly<Record<string, string>> } = {}
  ) {
    super(detail)
    this.code = code
    this.problems = problems.length > 0 ? problems : [{ detail }]
    this.headers = headers
  }

  get status(): number {
    return TITLES[this.code][0]
  }

  get body(): ProblemBody {
    const [status, title] = TITLES[this.code]
    return {
      type: `errors.md#${this.code.toLowerCase()}`,
      title,
      status,
      detail: this.message,
      code: this.code,
      problems: this.problems
    }
  }
}
