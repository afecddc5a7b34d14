import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'
import type { Socket } from 'node:net'
import { messageOf } from '../errors.js'
import { HttpProblem, PROBLEM_TYPE, type ApiCode, type RequestProblem } from './problem.js'

/** So long a client may take to read why its connection ends. */
const LAST_WORDS_MS = 1000

/** What fastify's own refusals are in our words. */
const REFUSALS: Readonly<Record<string, readonly [code: ApiCode, detail: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['TSHA_E_TOO_LARGE', 'a body has at most 16 kB'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['TSHA_E_MEDIA_TYPE', 'send Content-Type: application/json'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['TSHA_E_REQUEST', 'the body is empty; send JSON'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['TSHA_E_REQUEST', 'the body is not valid JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['TSHA_E_REQUEST', 'the body has not the length it says'],
  FST_ERR_BAD_URL: ['TSHA_E_REQUEST', 'the path is not valid']
}

/** Makes every refusal of a server a problem of RFC 9457. */
export function answerProblems(app: FastifyInstance): void {
  const routes: { readonly method: string; readonly pattern: RegExp }[] = []
  app.addHook('onRoute', ({ method, url }) => {
    const pattern = new RegExp(
      `^${url.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+')}$`
    )
    for (const each of [method].flat()) routes.push({ method: each, pattern })
  })
  app.setErrorHandler((error: FastifyError, _request, reply) => answerProblem(error, reply))
  app.setNotFoundHandler((request) => {
    const path = request.url.replace(/\?.*$/s, '')
    const allowed = routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)
    if (allowed.length === 0) {
      throw new HttpProblem('TSHA_E_NO_RESOURCE', 'see /openapi.json for the paths that there are')
    }
    const methods = [...new Set(allowed)].join(', ')
    throw new HttpProblem('TSHA_E_METHOD', `use ${methods}`, { headers: { Allow: methods } })
  })
}

/** Answers with what is wrong. */
export function answerProblem(error: FastifyError, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error)
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .type(PROBLEM_TYPE)
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problem.body)
}

function problemOf(error: FastifyError | HttpProblem): HttpProblem {
  if (error instanceof HttpProblem) return error
  if (error.validation !== undefined) {
    const inBody = error.validationContext === 'body'
    const problems = error.validation.map((issue) => problemFor(issue, inBody))
    const detail = problems.map(({ pointer, parameter, detail }) => {
      const where = pointer ?? parameter ?? ''
      return where === '' || where === '#' ? detail : `${where} ${detail}`
    })
    return new HttpProblem('TSHA_E_REQUEST', detail.join('; '), { problems })
  }
  const { statusCode = 500 } = error
  if (statusCode >= 500) {
    process.stderr.write(`tsha admin: ${error.stack ?? messageOf(error)}\n`)
    return new HttpProblem('TSHA_E_INTERNAL', 'please report it, with what tsha wrote to its log')
  }
  const [code, detail] = REFUSALS[error.code] ?? ['TSHA_E_REQUEST', messageOf(error)]
  return new HttpProblem(code, detail)
}

type Issue = NonNullable<FastifyError['validation']>[number]

function problemFor(
  { keyword, instancePath, params, message }: Issue,
  inBody: boolean
): RequestProblem {
  const property = params['additionalProperty'] ?? params['missingProperty']
  const path =
    typeof property === 'string'
      ? `${instancePath}/${property.replace(/~/g, '~0').replace(/\//g, '~1')}`
      : instancePath
  const detail = detailOf(keyword, params, message)
  return inBody ? { pointer: `#${path}`, detail } : { parameter: path.slice(1), detail }
}

function detailOf(keyword: string, params: Issue['params'], message: string | undefined): string {
  if (keyword === 'additionalProperties') return 'is not known'
  if (keyword === 'required') return 'is missing'
  if (keyword === 'enum' && Array.isArray(params['allowedValues'])) {
    return `must be one of ${params['allowedValues'].join(', ')}`
  }
  return message ?? 'is not valid'
}

/** What cannot even be read as a request gets the plainest answer, and its connection ends. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  const detail = isLate
    ? 'the request came too slowly'
    : 'this is no HTTP request, or too large a head'
  const { body } = new HttpProblem('TSHA_E_REQUEST', detail)
  const text = JSON.stringify({ ...body, status: isLate ? 408 : 400 })
  socket.end(
    `HTTP/1.1 ${isLate ? '408 Request Timeout' : '400 Bad Request'}\r\nConnection: close\r\n` +
      `Content-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
  )
  // Somebody who does not close his end must not keep ours.
  setTimeout(() => {
    socket.destroy()
  }, LAST_WORDS_MS).unref()
}
