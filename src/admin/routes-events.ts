import type { FastifyInstance } from 'fastify'
import type { Context } from './context.js'
import { LEVELS, type Level } from './event-history.js'
import { HttpProblem } from './problem.js'
import { PROBLEM_SCHEMA } from './schemas.js'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000
const WHOLE = { type: 'string', pattern: '^(0|[1-9][0-9]{0,14})$' } as const

interface EventsQuery {
  readonly since?: string
  readonly limit?: string
  readonly level?: Level
  readonly status?: '0' | '1'
}

/** What happened: as a list, or as a stream that goes on. */
export function addEventRoutes(
  app: FastifyInstance,
  { history, streams }: Context,
  place: 'socket' | 'tcp'
): void {
  app.get<{ Querystring: EventsQuery }>(
    '/v1/events',
    {
      exposeHeadRoute: false,
      schema: {
        summary: 'Events: the newest ones, or a stream with Accept: text/event-stream',
        tags: ['read'],
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            since: {
              ...WHOLE,
              description: 'only events with a higher id, the oldest first; 0 for all that are kept'
            },
            limit: { ...WHOLE, description: `1 to ${MAX_LIMIT}, ${DEFAULT_LIMIT} by default` },
            level: {
              type: 'string',
              enum: LEVELS,
              description: 'the least severe, info by default'
            },
            status: {
              type: 'string',
              enum: ['0', '1'],
              description: 'whether the stream has the status too, once a second and after events'
            }
          }
        },
        headers: {
          type: 'object',
          properties: {
            'last-event-id': { type: 'string', description: 'where a stream goes on' }
          }
        },
        response: {
          200: {
            description: 'Events, oldest first',
            content: {
              'application/json': {
                schema: {
                  type: 'object',
                  required: ['events', 'first_id', 'last_id'],
                  properties: {
                    events: { type: 'array', items: EVENT_SCHEMA },
                    first_id: { type: 'integer', description: 'the oldest that is kept' },
                    last_id: { type: 'integer', description: 'the newest; 0 when there was none' }
                  }
                }
              },
              'text/event-stream': { schema: { type: 'string' } }
            }
          },
          default: PROBLEM_SCHEMA
        }
      }
    },
    async ({ query, headers }, reply) => {
      const level = query.level ?? 'info'
      const since = query.since === undefined ? null : Number(query.since)
      if (headers.accept?.includes('text/event-stream')) {
        streams.makeRoom(place)
        reply.hijack()
        const wantsStatus = query.status === '1'
        const after = idOf(headers['last-event-id']) ?? since
        streams.open(reply.raw, { place, level, after, wantsStatus })
        return
      }
      const limit = limitOf(query.limit)
      const events =
        since === null ? history.newest(limit, level) : history.after(since, limit, level)
      return reply.send({ events, first_id: history.firstId, last_id: history.lastId })
    }
  )
}

function limitOf(text: string | undefined): number {
  const limit = text === undefined ? DEFAULT_LIMIT : Number(text)
  if (limit >= 1 && limit <= MAX_LIMIT) return limit
  const detail = `must be 1 to ${MAX_LIMIT}`
  throw new HttpProblem('TSHA_E_REQUEST', `limit ${detail}`, {
    problems: [{ parameter: 'limit', detail }]
  })
}

function idOf(header: string | string[] | undefined): number | null {
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : null
}

const EVENT_SCHEMA = {
  type: 'object',
  required: ['id', 'at', 'level', 'kind', 'subject', 'text', 'details'],
  properties: {
    id: { type: 'integer' },
    at: { type: 'string', format: 'date-time' },
    level: { type: 'string', enum: LEVELS },
    kind: { type: 'string' },
    subject: { type: ['string', 'null'] },
    text: { type: 'string' },
    details: { type: 'object', additionalProperties: true }
  }
} as const
