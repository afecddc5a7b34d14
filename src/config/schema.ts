import { z } from 'zod'
import { BALANCE_METHODS, ERROR_LOG_LEVELS, NEXT_UPSTREAM_CONDITIONS } from '../proxy/model.js'
import { admin } from './admin-schema.js'
import { check, linkDelays, notifyFifo } from './check-schema.js'
import { priority, syncGroup, virtualRouter } from './router-schema.js'
import {
  CHECK_INTERVAL_MAX_MS,
  absolutePath,
  accountName,
  anyDuration,
  checkDuration,
  count,
  duration,
  named,
  parsed,
  positiveDuration,
  section,
  switchOff,
  text,
  whole,
  yesOrNo
} from './schema-parts.js'
import { parseListen, parseSize, parseStatusRange } from './units.js'
import type { Endpoint } from './units.js'
import { readServerAddress } from './server-address.js'
import { MAIN_FORMAT } from './variables.js'

/*
 * The shape, units and defaults of a configuration, whichever file it was written in. Elections are in
 * router-schema.ts; the messages are explained in schema-parts.ts.
 */

const size = z.union([z.int().min(0), parsed('a size such as 512, "8k" or "1m"', parseSize)], {
  error: 'is not a size; use one such as 512, "8k" or "1m", and 0 for no limit'
})

const BUFFER_SIZE_ERROR = { error: 'is not a size; use one such as "16k" or "1m"' }
const bufferSize = z.union(
  [
    z.int(BUFFER_SIZE_ERROR).min(1, BUFFER_SIZE_ERROR),
    parsed('a size such as "16k" or "1m"', (found) => {
      const bytes = parseSize(found)
      return bytes === 0 ? undefined : bytes
    })
  ],
  BUFFER_SIZE_ERROR
)

const uriPath = text('a path that begins with /', /^\/[^\0-\x20]*$/)

/** As it is written: a consistent hash depends on every character. */
interface WrittenEndpoint extends Endpoint {
  readonly writtenAs: string
}

const serverAddress = z
  .string({ error: 'is not text; use an IP address or a host name with an optional port' })
  .transform((found, context): WrittenEndpoint => {
    const read = readServerAddress(found)
    if (read.ok) return { ...read.endpoint, writtenAs: found }
    context.issues.push({ code: 'custom', input: found, message: read.problem })
    return z.NEVER
  })

const server = section({
  address: serverAddress,
  weight: whole(1, 65_535).default(1),
  max_conns: whole(0, 1_000_000).default(0),
  max_fails: whole(0, 1_000_000).default(1),
  fail_timeout: anyDuration.prefault('10s'),
  slow_start: anyDuration.prefault('0s'),
  backup: switchOff(),
  down: switchOff()
})

const statusRange = z.union(
  [
    whole(100, 599).transform((status): [number, number] => [status, status]),
    parsed('a status such as 200, or a range such as 200-399', parseStatusRange)
  ],
  { error: 'is not a status; use one such as 200, or a range such as 200-399' }
)

const upstreamCheck = section({
  type: z.enum(['tcp', 'http'], { error: 'is not a check; use tcp or http' }),
  path: uriPath.default('/'),
  host: text('a host name, with a port if need be', /^[!-~]{1,255}$/).optional(),
  interval: checkDuration.prefault('2s'),
  fast_interval: checkDuration.prefault('500ms'),
  timeout: checkDuration.prefault('1s'),
  rise: count.default(1),
  fall: count.default(2),
  expect_status: z
    .array(statusRange, { error: 'is not a list; use statuses such as [200, 300-399]' })
    .min(1, { error: 'is empty; use at least one status' })
    .prefault(['200-399']),
  expect_body: text('text of up to 1000 characters', /^[^]{1,1000}$/).optional()
})

/**
 * nginx 1.29.7 keeps 32 connections. With 256 clients that made a worker open connections all the
 * time: with 256 here it answered 2.4 times the requests (median of three pairs of runs). The other
 * defaults are nginx's.
 */
const upstreamKeepalive = section({
  connections: whole(0, 1_000_000).default(256),
  timeout: anyDuration.prefault('60s'),
  requests: whole(1, 1_000_000_000).default(1000),
  lifetime: anyDuration.prefault('1h')
})

const balance = z.union(
  [
    z.enum(BALANCE_METHODS),
    section({
      hash: section({
        key: text('text with $variables, such as "$request_uri"', /^[^\0-\x1f\x7f]+$/),
        consistent: switchOff()
      })
    })
  ],
  {
    error: `is not a balancing method; use ${BALANCE_METHODS.join(', ')}, or { hash: { key: "$request_uri" } }`
  }
)

const queue = section({
  requests: whole(1, 1_000_000),
  timeout: positiveDuration.prefault('60s')
})

const upstream = section({
  servers: z
    .array(server, { error: 'is not a list; use one entry for each server' })
    .min(1, { error: 'is empty; use at least one server' }),
  keepalive: upstreamKeepalive.prefault({}),
  balance: balance.default('round_robin'),
  queue: queue.optional(),
  last_resort: yesOrNo.default(true),
  retry_budget: section({
    percent: whole(0, 100).default(20),
    min: whole(0, 1_000_000).default(3)
  }).prefault({}),
  recovery: z
    .enum(['probe', 'request'], { error: 'is not a way to recover; use probe or request' })
    .default('probe'),
  accept_bare_lf: switchOff(),
  check: upstreamCheck.optional()
})

const accessLogs = z.array(section({ path: absolutePath(), format: z.string() }), {
  error: 'is not a list; use entries such as { path: /var/log/tsha/access.log, format: "$request" }'
})

const route = section({
  path: uriPath.optional(),
  exact: uriPath.optional(),
  upstream: text('the name of an upstream', /^.+$/),
  set_headers: z
    .record(
      z.string(),
      z
        .string({ error: 'is not text; use quoted text such as "$host"' })
        .regex(/^[^\0-\x08\x0a-\x1f\x7f]*$/, {
          error: 'has control characters; use plain text and $variables'
        }),
      { error: 'is not a mapping; use header names with their values' }
    )
    .default({}),
  timeouts: section({
    connect: positiveDuration.prefault('60s'),
    send: positiveDuration.prefault('60s'),
    read: positiveDuration.prefault('60s'),
    tunnel: positiveDuration.optional()
  }).prefault({}),
  upgrade: switchOff(),
  next_upstream: z
    .array(
      z.enum(NEXT_UPSTREAM_CONDITIONS, {
        error: `is not a condition; use ${NEXT_UPSTREAM_CONDITIONS.join(', ')}`
      }),
      { error: 'is not a list; use conditions such as [error, timeout], or [] for none' }
    )
    .default(['error', 'timeout']),
  next_upstream_tries: whole(0, 1000).default(0),
  next_upstream_timeout: anyDuration.prefault('0s'),
  max_body_size: size.prefault('1m'),
  request_buffering: yesOrNo.default(true),
  body_buffer_size: bufferSize.prefault('1m'),
  access_logs: accessLogs.optional()
})

const listener = section({
  address: parsed(
    'an address with a port, such as ":80", "192.0.2.1:80" or "[::]:80"',
    parseListen
  ),
  default: switchOff(),
  server_names: z
    .array(
      text(
        'a host name, or a wildcard such as *.example.org',
        /^(?:_|(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.\*)$/
      ),
      { error: 'is not a list; use host names such as [www.example.org]' }
    )
    .default([]),
  accept_bare_lf: switchOff(),
  max_connections_per_client: whole(0, 1_000_000).default(0),
  routes: z.array(route, { error: 'is not a list; use one entry for each path' }).default([]),
  keepalive_timeout: anyDuration.prefault('75s'),
  keepalive_requests: whole(1, 1_000_000_000).default(1000),
  client_header_timeout: positiveDuration.prefault('60s'),
  client_body_timeout: positiveDuration.prefault('60s'),
  send_timeout: positiveDuration.prefault('60s'),
  access_logs: accessLogs.optional()
})

const logTarget = z.union([z.literal('off'), absolutePath()], {
  error: 'is not a log; use an absolute path or off'
})

const logs = section({
  access: logTarget.default('/var/log/tsha/access.log'),
  format: text('a format such as "$remote_addr $request $status"', /^[^\0\n]+$/).default(
    MAIN_FORMAT
  ),
  error: logTarget.default('/var/log/tsha/error.log'),
  level: z
    .enum(ERROR_LOG_LEVELS, { error: `is not a level; use ${ERROR_LOG_LEVELS.join(', ')}` })
    .default('error')
})

const routerId = text('a name of up to 255 characters', /^[^\0-\x1f]{1,255}$/)

const role = section({ priority: priority.optional(), router_id: routerId.optional() })

/** The whole configuration as it is written; its output has every default filled in. */
export const configSchema = section({
  roles: section({ master: role.optional(), backup: role.optional() }).optional(),
  router_id: routerId.optional(),
  virtual_routers: named(virtualRouter).default({}),
  sync_groups: named(syncGroup).default({}),
  checks: named(check).default({}),
  notify_fifo: notifyFifo.optional(),
  link_delays: named(linkDelays).default({}),
  script_user: accountName.optional(),
  script_group: accountName.optional(),
  startup_delay: anyDuration.prefault('0s'),
  delay_after_boot: anyDuration.prefault('0s'),
  nice: whole(-20, 19).default(-20),
  realtime_priority: z
    .union([z.literal('off'), whole(1, 99)], {
      error: 'is not a priority; use 1 to 99, or off'
    })
    .default(1),
  lock_memory: switchOff(),
  log_unknown_vrids: switchOff(),
  upstreams: named(upstream).default({}),
  listeners: z
    .array(listener, { error: 'is not a list; use one entry for each address' })
    .default([]),
  workers: z
    .union([z.literal('auto'), whole(1, 512)], { error: 'is not a number; use 1 to 512, or auto' })
    .default('auto'),
  worker_connections: whole(1, 1_000_000).default(1024),
  resolve_interval: duration(1000, CHECK_INTERVAL_MAX_MS).prefault('10s'),
  user: accountName.optional(),
  group: accountName.optional(),
  body_temp_path: absolutePath().default('/var/tmp'),
  logs: logs.prefault({}),
  pid_file: absolutePath().optional(),
  admin: admin.prefault({})
})

/** A validated configuration before references are resolved and a role is chosen. */
export type ValidConfig = z.output<typeof configSchema>
/** One entry of `upstreams`. */
export type ValidUpstream = z.output<typeof upstream>
/** One entry of `listeners`. */
export type ValidListener = z.output<typeof listener>
/** One entry of `routes`. */
export type ValidRoute = z.output<typeof route>

/** The JSON schema of `tsha.yaml`, for editors. */
export const jsonSchema = z.toJSONSchema(configSchema, { io: 'input' })
