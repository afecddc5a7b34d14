import swagger from '@fastify/swagger'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { createServer, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Context, Entrance } from './context.js'
import { isCrossSite, isOurName } from './guard.js'
import { HttpProblem } from './problem.js'
import { answerProblem, answerProblems, refuseUnreadable } from './problem-answers.js'
import { addPage } from './page.js'
import { addCommandRoutes } from './routes-command.js'
import { addEventRoutes } from './routes-events.js'
import { addReadRoutes } from './routes-read.js'

const BODY_LIMIT = 16 * 1024
const MAX_CONNECTIONS = 1024
/** How long a client may take for its headers, its request, a handshake, and between two requests. */
const TIMEOUTS = { headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 5000 }
const CHECK_INTERVAL_MS = 1000
const MAX_HEADER_SIZE = 8192

/** HTTP for administrators, at one entrance; it listens when its `server` is told to. */
export async function buildServer(context: Context, entrance: Entrance): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: BODY_LIMIT,
    routerOptions: { maxParamLength: 255 },
    ajv: {
      customOptions: {
        allErrors: true,
        removeAdditional: false,
        coerceTypes: false,
        useDefaults: false
      }
    },
    // What comes before any hook: a path that cannot be decoded.
    frameworkErrors: (error, _request, reply) => {
      void answerProblem(error, reply)
    },
    clientErrorHandler: refuseUnreadable,
    serverFactory: (handler) => makeServer(handler, entrance)
  })
  // Answers are documented by their schemas; nothing is left out of them for it.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  app.removeContentTypeParser('text/plain')
  answerProblems(app)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('X-Content-Type-Options', 'nosniff').header('Cache-Control', 'no-store')
    await admit(request, context, entrance)
  })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'tsha admin API',
        description: 'What one director tells of itself, and what it can be told to do.',
        version: context.version
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: entrance.place === 'tcp' ? [{ token: [] }] : []
    }
  })
  addReadRoutes(app, context)
  addEventRoutes(app, context, entrance.place)
  addCommandRoutes(app, context, entrance.place)
  addPage(app)
  await app.ready()
  return app
}

function makeServer(
  handler: (request: never, response: never) => void,
  entrance: Entrance
): Server {
  const options = {
    ...TIMEOUTS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    maxHeaderSize: MAX_HEADER_SIZE,
    requireHostHeader: true
  }
  const listener = handler as Parameters<typeof createServer>[1]
  const tls = entrance.place === 'tcp' ? entrance.tls : null
  const server = tls ? makeTlsServer(options, tls, listener) : createServer(options, listener)
  server.maxConnections = MAX_CONNECTIONS
  return server
}

function makeTlsServer(
  options: ServerOptions,
  { certificate: cert, key }: { readonly certificate: Buffer; readonly key: Buffer },
  listener: Parameters<typeof createServer>[1]
): Server {
  const handshakeTimeout = TIMEOUTS.headersTimeout
  const tls = { cert, key, minVersion: 'TLSv1.2', handshakeTimeout } as const
  const server = createTlsServer({ ...options, ...tls }, listener)
  // What is said on it would wait for a handshake that never ends, and hold the connection for ever.
  server.prependListener('tlsClientError', (_error, socket) => {
    socket.destroy()
  })
  return server
}

/** @throws {HttpProblem} when the request is none of an administrator's */
async function admit(request: FastifyRequest, context: Context, entrance: Entrance): Promise<void> {
  const { host, origin, authorization, 'sec-fetch-site': secFetchSite } = request.headers
  if (!isOurName(host, context.names)) {
    const detail =
      'the Host header names another site; use an address, or a name of admin.host_names'
    throw new HttpProblem('TSHA_E_HOST', detail)
  }
  const { isOpen = false } = request.routeOptions.config
  if (isOpen) return
  if (isCrossSite({ host, origin, secFetchSite: secFetchSite?.toString() })) {
    throw new HttpProblem('TSHA_E_CROSS_SITE', 'a page of another site has sent this request')
  }
  if (entrance.place === 'tcp') await entrance.token.check(authorization, request.ip)
}
