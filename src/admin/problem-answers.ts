import type { FastifyError, FastifyInstance } from 'fastify'
import type { Socket } from 'node:net'
import { messageOf } from '../errors.js'
import { HttpProblem, PROBLEM_TYPE, type ApiCode, type RequestProblem } from './problem.js'

/** Codes of fastify's own refusals; any other one below 500 is a request that is not valid. */
const CODES: Readonly<Record<string, ApiCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'TSHA_E_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'TSHA_E_MEDIA_TYPE'
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
  app.setErrorHandler(async (error: FastifyError, _request, reply) => {
    const problem = problemOf(error)
    return reply.code(problem.status).headers(problem.headers).type(PROBLEM_TYPE).send(problem.body)
  })
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
  return new HttpProblem(CODES[error.code] ?? 'TSHA_E_REQUEST', messageOf(error))
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
}
