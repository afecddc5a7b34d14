import type { FastifyInstance } from 'fastify'
import { Readable } from 'node:stream'
import type { Context } from './context.js'
import { EXPOSITION_TYPE, exposition } from './exposition.js'
import { keepalivedJson } from './keepalived-json.js'
import { PROBLEM_SCHEMA } from './schemas.js'
import { STATUS_SCHEMA } from './status-schema.js'

/** What a director tells of itself at one moment. */
export function addReadRoutes(app: FastifyInstance, { client, recording }: Context): void {
  app.get(
    '/v1/status',
    {
      schema: {
        summary: 'Everything about this director now',
        tags: ['read'],
        response: {
          200: {
            description: 'The status; it is at most 100 ms old',
            ...STATUS_SCHEMA
          },
          default: PROBLEM_SCHEMA
        }
      }
    },
    async (_request, reply) => {
      const { json } = await client.status()
      return reply.type('application/json; charset=utf-8').serializer(asItIs).send(json)
    }
  )
  app.get(
    '/v1/keepalived',
    {
      schema: {
        summary: "The virtual routers in the form of keepalived's JSON dump",
        tags: ['read'],
        response: {
          200: {
            description: "keepalived's names and units; never a password",
            type: 'array',
            items: { type: 'object', additionalProperties: true }
          },
          default: PROBLEM_SCHEMA
        }
      }
    },
    async () => {
      const { status } = await client.status()
      return keepalivedJson(status)
    }
  )
  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Metrics for Prometheus',
        tags: ['read'],
        response: {
          200: {
            description: 'Text format of Prometheus',
            content: { 'text/plain': { schema: { type: 'string' } } }
          },
          default: PROBLEM_SCHEMA
        }
      }
    },
    async (_request, reply) => {
      const { status } = await client.status()
      return reply.type(EXPOSITION_TYPE).send(await exposition(status))
    }
  )
  app.get(
    '/healthz',
    {
      config: { isOpen: true },
      schema: {
        summary: 'Whether the director answers; needs no token and tells nothing else',
        tags: ['read'],
        security: [],
        response: {
          200: {
            description: 'It answers',
            content: { 'text/plain': { schema: { type: 'string', enum: ['ok\n'] } } }
          },
          503: {
            description: 'It does not',
            content: { 'text/plain': { schema: { type: 'string' } } }
          }
        }
      }
    },
    async (_request, reply) => {
      const isWell = await client.status().then(
        () => true,
        () => false
      )
      return reply
        .code(isWell ? 200 : 503)
        .type('text/plain; charset=utf-8')
        .send(isWell ? 'ok\n' : 'the director does not answer\n')
    }
  )
  app.get(
    '/v1/recording',
    {
      exposeHeadRoute: false,
      schema: {
        summary: 'The flight recording, for tsha replay',
        tags: ['read'],
        response: {
          200: {
            description: 'One JSON value on each line',
            content: { 'application/x-ndjson': { schema: { type: 'string' } } }
          },
          default: PROBLEM_SCHEMA
        }
      }
    },
    async (_request, reply) =>
      reply.type('application/x-ndjson; charset=utf-8').send(Readable.from(recording.text()))
  )
  app.get(
    '/openapi.json',
    {
      schema: {
        summary: 'This description',
        tags: ['read'],
        response: {
          200: { description: 'OpenAPI 3.1', type: 'object', additionalProperties: true },
          default: PROBLEM_SCHEMA
        }
      }
    },
    () => app.swagger()
  )
}

function asItIs(json: unknown): string {
  return json as string
}
