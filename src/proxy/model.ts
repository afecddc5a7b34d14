/**
 * What the proxy is told to do: plain data, compiled from the configuration by the director and sent
 * to each worker as JSON. All durations are milliseconds, all sizes bytes.
 */

/** The failures that may send a request to the next upstream server, in nginx's words. */
export const NEXT_UPSTREAM_CONDITIONS = [
  'error',
  'timeout',
  'invalid_header',
  'http_500',
  'http_502',
  'http_503',
  'http_504',
  'http_403',
  'http_404',
  'http_429',
  'non_idempotent'
] as const
export type NextUpstreamCondition = (typeof NEXT_UPSTREAM_CONDITIONS)[number]

/** One `server` line of an upstream; at run time it is one peer. */
export interface UpstreamServer {
  /** IPv4 or IPv6 address without brackets, or a host name that is resolved at run time. */
  readonly host: string
  readonly port: number
  /** The address as the configuration has it: a consistent hash depends on every character. */
  readonly writtenAs: string
  /** Share of the requests, 1 or more. */
  readonly weight: number
  /** Attempts that one worker has with it at one time; 0 is no limit. */
  readonly maxConns: number
  /** Failures without a gap longer than `failTimeoutMs` that disable the server; 0 never does. */
  readonly maxFails: number
  readonly failTimeoutMs: number
  /** Taken out by the administrator. */
  readonly down: boolean
  /** Used only while no other server can be. */
  readonly backup: boolean
  /** Time over which its weight grows when it has come back; 0 gives all of it at once. */
  readonly slowStartMs: number
  readonly recovery: Recovery
}

/**
 * Who finds out that a disabled server is well again: the director, which asks it by itself; or, as
 * in nginx, one request of a client after `failTimeoutMs`.
 */
export type Recovery = 'probe' | 'request'

/** How the director regularly checks each server of an upstream. */
export interface UpstreamCheck {
  /** `tcp` is well with a connection; `http` asks and looks at the answer. */
  readonly type: 'tcp' | 'http'
  readonly path: string
  /** Value of the Host field. */
  readonly host: string
  readonly intervalMs: number
  /** The interval instead while the server fails. */
  readonly fastIntervalMs: number
  readonly timeoutMs: number
  /** Consecutive passes that bring a server back. */
  readonly rise: number
  /** Consecutive failures that take a server out. */
  readonly fall: number
  /** Status codes that pass, both ends included. */
  readonly expectStatus: readonly (readonly [first: number, last: number])[]
  /** Text that the body must have; null accepts any. */
  readonly expectBody: string | null
}

/** How connections to the servers of an upstream are kept for later requests. */
export interface UpstreamKeepalive {
  /** Idle connections that a worker keeps to each server; 0 keeps none. */
  readonly connections: number
  /** How long an idle connection is kept. */
  readonly timeoutMs: number
  /** Requests sent on one connection. */
  readonly requests: number
  /** A connection that is older is closed after its request. */
  readonly lifetimeMs: number
}

/** The methods that choose among the servers by nothing but what is known of these. */
export const BALANCE_METHODS = ['round_robin', 'least_conn', 'random_two', 'ip_hash'] as const

/** How one of several servers is chosen for a request, in nginx's words. */
export type Balance =
  | { readonly method: (typeof BALANCE_METHODS)[number] }
  /** By a key with `$variables`. */
  | { readonly method: 'hash'; readonly key: string; readonly consistent: boolean }

/** A named group of servers. */
export interface Upstream {
  readonly name: string
  readonly servers: readonly UpstreamServer[]
  /** Whether LF alone ends a line in the heads of their responses, as CRLF does. */
  readonly acceptBareLf: boolean
  readonly keepalive: UpstreamKeepalive
  readonly balance: Balance
  /** Where requests wait in each worker for which there is no server; null refuses them at once. */
  readonly queue: { readonly requests: number; readonly timeoutMs: number } | null
  /** Whether the least bad server is tried when all are disabled. */
  readonly lastResort: boolean
  /** How many of the requests in flight may be retries: a share of them, and so many in any case. */
  readonly retryBudget: { readonly percent: number; readonly min: number }
  /** Null checks none. */
  readonly check: UpstreamCheck | null
}

/** Where an access log goes and what a line of it looks like. */
export interface AccessLog {
  readonly path: string
  /** nginx's `log_format` text with `$variables`. */
  readonly format: string
}

/** How requests for one path prefix are proxied; nginx's `location` with a `proxy_pass`. */
export interface Route {
  readonly path: string
  /** True for `location = /path`: the whole path must be equal. */
  readonly exact: boolean
  /** Name of an upstream. */
  readonly upstream: string
  /** Request headers set towards the upstream: name and template with `$variables`; '' removes it. */
  readonly setHeaders: readonly (readonly [name: string, template: string])[]
  readonly connectTimeoutMs: number
  /** Between two successive writes to the upstream server, not for the whole request. */
  readonly sendTimeoutMs: number
  /** Between two successive reads from the upstream server, not for the whole response. */
  readonly readTimeoutMs: number
  /**
   * Whether a client may change to another protocol (RFC 9110 §7.8): the time without a byte in either
   * direction after which the tunnel is closed. Null never passes Upgrade on.
   */
  readonly tunnelTimeoutMs: number | null
  readonly nextUpstream: readonly NextUpstreamCondition[]
  /** How many attempts in all; 0 is no limit but the number of servers. */
  readonly nextUpstreamTries: number
  /** Time after which no further attempt is begun; 0 is no limit. */
  readonly nextUpstreamTimeoutMs: number
  /** Largest request body; 0 is no limit. */
  readonly maxBodySize: number
  /** Whether the whole request body is read before a server is chosen. */
  readonly requestBuffering: boolean
  /** How much of a request body is kept in memory, 1 or more. */
  readonly bodyBufferSize: number
  readonly accessLogs: readonly AccessLog[]
}

/** One address and port on which connections are accepted. */
export interface ListenAddress {
  /** IPv4 or IPv6 address; `0.0.0.0` is any. */
  readonly host: string
  readonly port: number
}

/**
 * nginx's `server` block. Several may share one listen address; the request's host chooses among
 * them by `names`, and where none matches the first one (or the one with `isDefault`) answers.
 */
export interface VirtualServer {
  readonly listen: ListenAddress
  readonly isDefault: boolean
  /** Exact names and `*.example.org` / `www.example.*` wildcards, lower case; `_` matches nothing. */
  readonly names: readonly string[]
  /**
   * Whether LF alone ends a line in the heads of requests, as CRLF does. The same for all servers of
   * a listen address: a head is read before its host is known.
   */
  readonly acceptBareLf: boolean
  /**
   * Connections that one client may have to the listen address in each worker, 0 is any number. The
   * same for all servers of a listen address.
   */
  readonly maxConnectionsPerClient: number
  readonly routes: readonly Route[]
  /** How long an idle connection to a client is kept; 0 closes it after each response. */
  readonly keepaliveTimeoutMs: number
  /** Requests served on one client connection before it is closed. */
  readonly keepaliveRequests: number
  /** Time for the whole head of a request. */
  readonly clientHeaderTimeoutMs: number
  /** Between two successive reads of a request body. */
  readonly clientBodyTimeoutMs: number
  /** Between two successive writes to the client. */
  readonly sendTimeoutMs: number
  /** Where requests go that match no route. */
  readonly accessLogs: readonly AccessLog[]
}

/** nginx's severities that the proxy writes, least severe first. */
export const ERROR_LOG_LEVELS = ['info', 'notice', 'warn', 'error', 'crit'] as const
export type ErrorLogLevel = (typeof ERROR_LOG_LEVELS)[number]

/** The whole reverse proxy of one director. */
export interface ProxyConfig {
  /** Worker processes, 1 or more. */
  readonly workers: number
  /** User that the workers run as when the director runs as root; null keeps the director's. */
  readonly user: string | null
  /** Group, default the user's own. */
  readonly group: string | null
  /** Connections a worker holds at most, clients and upstream servers together. */
  readonly workerConnections: number
  /** Directory for the temporary files of request bodies. */
  readonly bodyTempPath: string
  /** How often the director resolves the host names of servers. */
  readonly resolveIntervalMs: number
  /** Null writes errors only to the director's log. */
  readonly errorLog: { readonly path: string; readonly level: ErrorLogLevel } | null
  readonly upstreams: readonly Upstream[]
  readonly servers: readonly VirtualServer[]
}
