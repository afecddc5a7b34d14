import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Context } from './context.js'
import type { Command } from './model.js'
import { HttpProblem } from './problem.js'
import { LINES_SCHEMA, NO_BODY_SCHEMA, PROBLEM_SCHEMA, nameSchema } from './schemas.js'

interface Action {
  readonly path: string
  readonly summary: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly body?: Readonly<Record<string, unknown>>
  readonly commandOf: (params: Params, body: Body) => Command
}

type Params = Readonly<Record<'name' | 'upstream' | 'peer', string>>
type Body = Readonly<Record<string, unknown>> | null

const ROUTER = { name: nameSchema('name of the virtual router') }

const ACTIONS: readonly Action[] = [
  {
    path: '/v1/reload',
    summary: 'Read the configuration anew and apply what changed',
    commandOf: () => ({ action: 'reload' })
  },
  {
    path: '/v1/logs/reopen',
    summary: 'Write the logs of the proxy to new files, after the old ones were moved away',
    commandOf: () => ({ action: 'reopen-logs' })
  },
  {
    path: '/v1/workers/replace',
    summary: 'Put new processes in the place of the workers, without a failed request',
    commandOf: () => ({ action: 'replace-workers' })
  },
  {
    path: '/v1/virtual-routers/step-down',
    summary: 'Hand all virtual routers over to the partner, and stand back until resume',
    commandOf: () => ({ action: 'step-down', router: null })
  },
  {
    path: '/v1/virtual-routers/resume',
    summary: 'Have all virtual routers take part in the election again',
    commandOf: () => ({ action: 'resume', router: null })
  },
  {
    path: '/v1/virtual-routers/:name/step-down',
    summary: 'Hand one virtual router over to the partner, and stand back until resume',
    params: ROUTER,
    commandOf: ({ name }) => ({ action: 'step-down', router: name })
  },
  {
    path: '/v1/virtual-routers/:name/resume',
    summary: 'Have one virtual router take part in the election again',
    params: ROUTER,
    commandOf: ({ name }) => ({ action: 'resume', router: name })
  },
  {
    path: '/v1/virtual-routers/:name/priority',
    summary: 'Put a priority in the place of the configured one',
    params: ROUTER,
    body: {
      type: 'object',
      required: ['priority'],
      additionalProperties: false,
      properties: {
        priority: {
          type: ['integer', 'null'],
          minimum: 1,
          maximum: 254,
          description: 'null goes back to the configured one'
        }
      }
    },
    commandOf: ({ name }, body) => ({
      action: 'priority',
      router: name,
      priority: body?.['priority'] as number | null
    })
  },
  {
    path: '/v1/upstreams/:upstream/peers/:peer',
    summary: 'Take a server of an upstream out, put it back, or change its weight',
    params: {
      upstream: nameSchema('name of the upstream'),
      peer: nameSchema('the server as the configuration has it, with its port')
    },
    body: {
      type: 'object',
      minProperties: 1,
      additionalProperties: false,
      properties: {
        state: {
          type: 'string',
          enum: ['up', 'down', 'drain'],
          description: 'drain finishes what it has; absent leaves it'
        },
        weight: {
          type: ['integer', 'null'],
          minimum: 1,
          maximum: 65_535,
          description: 'null goes back to the configured one; absent leaves it'
        }
      }
    },
    commandOf: ({ upstream, peer }, body) => ({ action: 'peer', upstream, peer, ...body })
  },
  {
    path: '/v1/proxy/stop',
    summary: 'Stop the proxy; the virtual routers go on by their checks',
    commandOf: () => ({ action: 'proxy', state: 'stop' })
  },
  {
    path: '/v1/proxy/start',
    summary: 'Start the proxy again',
    commandOf: () => ({ action: 'proxy', state: 'start' })
  }
]

/** What a director can be told to do. */
export function addCommandRoutes(
  app: FastifyInstance,
  { client }: Context,
  place: 'socket' | 'tcp'
): void {
  for (const { path, summary, params, body, commandOf } of ACTIONS) {
    app.post<{ Params: Params; Body: Body }>(
      path,
      {
        schema: {
          summary,
          tags: ['do'],
          ...(params
            ? { params: { type: 'object', required: Object.keys(params), properties: params } }
            : {}),
          body: body ?? NO_BODY_SCHEMA,
          response: { 200: LINES_SCHEMA, default: PROBLEM_SCHEMA }
        }
      },
      async (request) => {
        const command = commandOf(request.params, request.body)
        const result = await client.perform(command, callerOf(request, place))
        if (result.ok) return { lines: result.lines }
        throw new HttpProblem(result.code, result.lines.join('; '), {
          problems: result.lines.map((detail) => ({ detail }))
        })
      }
    )
  }
}

function callerOf(request: FastifyRequest, place: 'socket' | 'tcp'): string {
  return place === 'socket' ? 'the socket' : request.ip
}
