import Fastify from 'fastify'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { keepalivedJson } from '../../src/admin/keepalived-json.js'
import type { Command } from '../../src/admin/model.js'
import { Office, statusOf, type Asking } from './support.js'

const office = await Office.open(t)

t.test(
  'the status is what the director says, asked for once by all who ask together',
  async (t) => {
    const before = office.statusesTold
    const answers = await Promise.all(Array.from({ length: 20 }, () => office.ask('/v1/status')))
    t.same([...new Set(answers.map(({ status }) => status))], [200])
    t.strictSame(answers[0]?.json, statusOf('director1'))
    t.ok(office.statusesTold - before <= 2, `asked ${office.statusesTold - before} times`)
  }
)

t.test(
  'what needs no director: metrics have the version, the dump is that of keepalived, healthz is ok, the page is a page',
  async (t) => {
    const metrics = await office.ask('/metrics')
    t.equal(metrics.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
    t.match(metrics.text, /^tsha_build_info\{version="1\.2\.3"\} 1$/m)
    t.match(await office.ask('/healthz'), { status: 200, text: 'ok\n' })
    const { json: dump } = await office.ask('/v1/keepalived')
    t.strictSame(dump, keepalivedJson(statusOf('director1')))
    const page = await office.ask('/')
    t.match(page, { status: 200, text: /^<!doctype html>/ })
    t.match(page.headers, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': /^default-src 'self';/,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store'
    })
  }
)

const COMMANDS: readonly (readonly [path: string, body: unknown, command: Command])[] = [
  ['/v1/reload', undefined, { action: 'reload' }],
  ['/v1/reload', {}, { action: 'reload' }],
  ['/v1/logs/reopen', undefined, { action: 'reopen-logs' }],
  ['/v1/workers/replace', undefined, { action: 'replace-workers' }],
  ['/v1/virtual-routers/step-down', undefined, { action: 'step-down', router: null }],
  ['/v1/virtual-routers/resume', undefined, { action: 'resume', router: null }],
  ['/v1/virtual-routers/VI%201/step-down', undefined, { action: 'step-down', router: 'VI 1' }],
  ['/v1/virtual-routers/VI_1/resume', undefined, { action: 'resume', router: 'VI_1' }],
  [
    '/v1/virtual-routers/VI_1/priority',
    { priority: 254 },
    { action: 'priority', router: 'VI_1', priority: 254 }
  ],
  [
    '/v1/virtual-routers/VI_1/priority',
    { priority: null },
    { action: 'priority', router: 'VI_1', priority: null }
  ],
  [
    '/v1/upstreams/web/peers/192.0.2.1:80',
    { state: 'drain' },
    { action: 'peer', upstream: 'web', peer: '192.0.2.1:80', state: 'drain' }
  ],
  [
    '/v1/upstreams/web/peers/%5B2001:db8::1%5D:80',
    { state: 'up', weight: null },
    { action: 'peer', upstream: 'web', peer: '[2001:db8::1]:80', state: 'up', weight: null }
  ],
  ['/v1/proxy/stop', undefined, { action: 'proxy', state: 'stop' }],
  ['/v1/proxy/start', undefined, { action: 'proxy', state: 'start' }]
]

t.test('commands come to the director as values, and its lines come back', async (t) => {
  office.result = { ok: true, lines: ['first', 'second'] }
  for (const [path, body, command] of COMMANDS) {
    const answer = await office.ask(path, { method: 'POST', body })
    t.match(answer, { status: 200 }, path)
    t.strictSame(answer.json, { lines: ['first', 'second'] })
    t.strictSame(office.performed.at(-1), { command, by: 'the socket' })
  }
})

t.test('what the director refuses is a problem with its code and all its lines', async (t) => {
  const statuses = [
    ['TSHA_E_UNKNOWN_NAME', 404],
    ['TSHA_E_CONFLICT', 409],
    ['TSHA_E_CONFIG_REFUSED', 422],
    ['TSHA_E_COMMAND', 422]
  ] as const
  for (const [code, status] of statuses) {
    office.result = { ok: false, code, lines: ['this is wrong', 'that too'] }
    const answer = await office.ask('/v1/reload', { method: 'POST' })
    t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.match(answer, {
      status,
      json: {
        type: `errors.md#${code.toLowerCase()}`,
        status,
        code,
        detail: 'this is wrong; that too',
        problems: [{ detail: 'this is wrong' }, { detail: 'that too' }]
      }
    })
  }
  office.result = { ok: true, lines: [] }
})

const PEER = '/v1/upstreams/web/peers/192.0.2.1:80'
const PRIORITY = '/v1/virtual-routers/VI_1/priority'

const BAD: readonly (readonly [
  path: string,
  asking: Asking,
  status: number,
  code: string,
  problems: unknown
])[] = [
  [
    PEER,
    { body: { state: 'gone', weight: 0, force: true } },
    400,
    'TSHA_E_REQUEST',
    [
      { pointer: '#/force', detail: 'is not known' },
      { pointer: '#/state', detail: 'must be one of up, down, drain' },
      { pointer: '#/weight', detail: 'must be >= 1' }
    ]
  ],
  [PEER, { body: {} }, 400, 'TSHA_E_REQUEST', [{ pointer: '#', detail: /fewer than 1/ }]],
  [PEER, { body: [] }, 400, 'TSHA_E_REQUEST', [{ pointer: '#', detail: 'must be object' }]],
  [PEER, { method: 'POST' }, 400, 'TSHA_E_REQUEST', [{ pointer: '#', detail: 'must be object' }]],
  [PEER, { body: '{"weight":' }, 400, 'TSHA_E_REQUEST', [{ detail: /JSON/ }]],
  [PEER, { body: '' }, 400, 'TSHA_E_REQUEST', [{ detail: /empty/ }]],
  [
    PEER,
    { body: '{"__proto__":{"weight":1}}' },
    400,
    'TSHA_E_REQUEST',
    [{ detail: /not valid JSON/ }]
  ],
  [PRIORITY, { body: { priority: '100' } }, 400, 'TSHA_E_REQUEST', [{ pointer: '#/priority' }]],
  [PRIORITY, { body: { priority: 255 } }, 400, 'TSHA_E_REQUEST', [{ detail: 'must be <= 254' }]],
  [PRIORITY, { body: { priority: 1.5 } }, 400, 'TSHA_E_REQUEST', [{ pointer: '#/priority' }]],
  [
    PRIORITY,
    { body: {} },
    400,
    'TSHA_E_REQUEST',
    [{ pointer: '#/priority', detail: 'is missing' }]
  ],
  [
    '/v1/reload',
    { body: { now: true } },
    400,
    'TSHA_E_REQUEST',
    [{ pointer: '#/now', detail: 'is not known' }]
  ],
  [
    PEER,
    { body: { state: 'up', note: 'x'.repeat(16 * 1024) } },
    413,
    'TSHA_E_TOO_LARGE',
    [{ detail: /16 kB/ }]
  ],
  [
    PEER,
    { body: 'state=up', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
    415,
    'TSHA_E_MEDIA_TYPE',
    [{ detail: 'send Content-Type: application/json' }]
  ],
  [PEER, { body: '{}', headers: { 'Content-Type': 'text/plain' } }, 415, 'TSHA_E_MEDIA_TYPE', [{}]],
  ['/v1/stauts', {}, 404, 'TSHA_E_NO_RESOURCE', [{ detail: /openapi\.json/ }]],
  [
    '/v1/upstreams/web/peers/',
    { body: { state: 'up' } },
    400,
    'TSHA_E_REQUEST',
    [{ parameter: 'peer', detail: /fewer than 1/ }]
  ],
  ['/../etc/passwd', {}, 404, 'TSHA_E_NO_RESOURCE', [{}]],
  ['/%zz', {}, 400, 'TSHA_E_REQUEST', [{}]],
  [
    `/v1/virtual-routers/${'x'.repeat(300)}/resume`,
    { method: 'POST' },
    400,
    'TSHA_E_REQUEST',
    [{}]
  ],
  ['/v1/reload', {}, 405, 'TSHA_E_METHOD', [{ detail: 'use POST' }]],
  ['/v1/status', { method: 'DELETE' }, 405, 'TSHA_E_METHOD', [{ detail: 'use GET, HEAD' }]],
  [PEER, { method: 'PUT', body: {} }, 405, 'TSHA_E_METHOD', [{ detail: 'use POST' }]],
  [
    '/v1/events?since=-1&limit=many&level=loud&x=1',
    {},
    400,
    'TSHA_E_REQUEST',
    [
      { parameter: 'x', detail: 'is not known' },
      { parameter: 'since' },
      { parameter: 'limit' },
      { parameter: 'level', detail: 'must be one of debug, info, warn, error, fatal' }
    ]
  ],
  [
    '/v1/events?limit=1001',
    {},
    400,
    'TSHA_E_REQUEST',
    [{ parameter: 'limit', detail: 'must be 1 to 1000' }]
  ]
]

t.test(
  'a bad request is refused with all that is wrong, and the director hears nothing',
  async (t) => {
    const before = office.performed.length
    for (const [path, asking, status, code, problems] of BAD) {
      const answer = await office.ask(path, asking)
      t.match(
        answer,
        { status, json: { status, code, problems } },
        `${asking.method ?? ''} ${path}`
      )
      const found = (answer.json as { problems: unknown[] }).problems.length
      t.equal(found, (problems as unknown[]).length, 'and nothing else')
    }
    t.equal((await office.ask('/v1/reload')).headers.allow, 'POST')
    t.equal(office.performed.length, before)
  }
)

interface Operation {
  readonly summary?: string
  readonly parameters?: readonly {
    readonly in: string
    readonly name: string
    readonly schema: object
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> }
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description: string
        readonly content?: Readonly<Record<string, { readonly schema: object }>>
      }
    >
  >
}

interface OpenApi {
  readonly openapi: string
  readonly info: object
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

type Judge = (value: unknown) => boolean

/** What makes a judge of a JSON schema; it throws when the schema is none. */
async function judgeMaker(): Promise<(schema: object) => Judge> {
  const app = Fastify({ ajv: { customOptions: { allErrors: true, strict: false } } })
  const made: ((schema: object) => Judge)[] = []
  app.get('/', (request) => {
    made.push((schema) => request.compileValidationSchema(schema) as Judge)
    return ''
  })
  await app.inject('/')
  return made[0] ?? (() => () => false)
}

t.test('openapi.json describes every route, in valid schemas', async (t) => {
  const { json } = await office.ask('/openapi.json')
  const { openapi, info, paths } = json as OpenApi
  t.equal(openapi, '3.1.0')
  t.match(info, { title: 'tsha admin API', version: '1.2.3' })
  t.strictSame(
    Object.entries(paths)
      .flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path}`))
      .sort(),
    [
      'get /healthz',
      'get /metrics',
      'get /openapi.json',
      'get /v1/events',
      'get /v1/keepalived',
      'get /v1/recording',
      'get /v1/status',
      'post /v1/logs/reopen',
      'post /v1/proxy/start',
      'post /v1/proxy/stop',
      'post /v1/reload',
      'post /v1/upstreams/{upstream}/peers/{peer}',
      'post /v1/virtual-routers/resume',
      'post /v1/virtual-routers/step-down',
      'post /v1/virtual-routers/{name}/priority',
      'post /v1/virtual-routers/{name}/resume',
      'post /v1/virtual-routers/{name}/step-down',
      'post /v1/workers/replace'
    ]
  )
  const page = readFileSync(new URL('../../../docs/admin-api.md', import.meta.url), 'utf8')
  for (const path of Object.keys(paths)) t.match(page, path, 'and docs/admin-api.md has it too')
  const judge = await judgeMaker()
  for (const [path, item] of Object.entries(paths)) {
    for (const { summary, parameters = [], requestBody, responses } of Object.values(item)) {
      t.ok(summary, path)
      const inPath = parameters.filter((each) => each.in === 'path').map(({ name }) => name)
      t.strictSame(
        inPath,
        Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name),
        path
      )
      const contents = Object.values(responses).map(({ description, content = {} }) => {
        t.ok(description, path)
        return content
      })
      const bodies = [requestBody?.content ?? {}, ...contents].flatMap((each) =>
        Object.values(each)
      )
      for (const { schema } of [...bodies, ...parameters]) {
        t.doesNotThrow(() => judge(schema), path)
      }
    }
  }
  const status = paths['/v1/status']?.['get']?.responses['200']?.content?.['application/json']
  const isStatus = judge(status?.schema ?? {})
  t.equal(isStatus(statusOf('x')), true)
  const { pid, ...rest } = statusOf('x')
  t.equal(isStatus(rest), false, `without its pid ${pid} it is none`)
})

t.test('no secret and no token is in what is told', async (t) => {
  const told = await Promise.all(
    ['/v1/status', '/openapi.json', '/metrics', '/'].map((path) => office.ask(path))
  )
  for (const { text } of told) t.notMatch(text, /correct-horse/)
})
