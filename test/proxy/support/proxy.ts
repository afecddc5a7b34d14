import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Engine, type EngineOptions } from '../../../src/proxy/engine.js'
import type {
  ProxyConfig,
  Route,
  Upstream,
  UpstreamKeepalive,
  UpstreamServer,
  VirtualServer
} from '../../../src/proxy/model.js'
import type { PeerEvent } from '../../../src/proxy/upstream/peer-status.js'

/** What a test changes of the ordinary configuration. */
export interface ProxySetup {
  /** Ports of upstream servers on 127.0.0.1, or whole servers. */
  readonly servers: readonly (number | Partial<UpstreamServer>)[]
  readonly route?: Partial<Route>
  readonly server?: Partial<VirtualServer>
  readonly keepalive?: Partial<UpstreamKeepalive>
  readonly upstream?: Partial<Upstream>
  readonly config?: Partial<ProxyConfig>
  readonly logFormat?: string
}

/** What `t.teardown` is. */
interface Test {
  teardown: (undo: () => Promise<void>) => void
}

/** A proxy under test and what it wrote. */
export interface ProxyUnderTest {
  readonly port: number
  readonly engine: Engine
  readonly events: { readonly index: number; readonly event: PeerEvent }[]
  /** Shuts the proxy down and gives the lines of its access log. */
  accessLog(): Promise<string[]>
  /** What the error log has at the moment. */
  errorsSoFar(): string
  /** Shuts the proxy down and gives the lines of its error log. */
  errorLog(): Promise<string[]>
}

/** The example pair's route, with its timeouts shortened by each test that needs it. */
export const PAIR_ROUTE: Route = {
  path: '/',
  exact: false,
  upstream: 'web',
  setHeaders: [
    ['Host', '$host'],
    ['X-Real-IP', '$remote_addr'],
    ['X-Forwarded-For', '$proxy_add_x_forwarded_for'],
    ['X-Forwarded-Proto', '$scheme']
  ],
  connectTimeoutMs: 3000,
  sendTimeoutMs: 10_000,
  readTimeoutMs: 10_000,
  tunnelTimeoutMs: null,
  nextUpstream: ['error', 'timeout', 'http_500', 'http_502', 'http_503', 'http_504'],
  nextUpstreamTries: 0,
  nextUpstreamTimeoutMs: 0,
  maxBodySize: 1024 * 1024,
  requestBuffering: true,
  bodyBufferSize: 1024 * 1024,
  accessLogs: []
}

/** The defaults of an upstream. */
const KEEPALIVE: UpstreamKeepalive = {
  connections: 256,
  timeoutMs: 60_000,
  requests: 1000,
  lifetimeMs: 3_600_000
}

/** Builds a whole configuration around a route. */
export function proxyConfig(setup: ProxySetup, directory: string): ProxyConfig {
  const logs =
    setup.logFormat === undefined
      ? []
      : [{ path: join(directory, 'access.log'), format: setup.logFormat }]
  return {
    workers: 1,
    user: null,
    group: null,
    workerConnections: 1024,
    bodyTempPath: directory,
    resolveIntervalMs: 10_000,
    errorLog: { path: join(directory, 'error.log'), level: 'info' },
    upstreams: [
      {
        name: 'web',
        servers: setup.servers.map((server) => ({
          host: '127.0.0.1',
          port: 0,
          writtenAs: `127.0.0.1:${typeof server === 'number' ? server : (server.port ?? 0)}`,
          weight: 1,
          maxConns: 0,
          maxFails: 2,
          failTimeoutMs: 3000,
          down: false,
          backup: false,
          slowStartMs: 0,
          recovery: 'probe' as const,
          ...(typeof server === 'number' ? { port: server } : server)
        })),
        keepalive: { ...KEEPALIVE, ...setup.keepalive },
        acceptBareLf: false,
        balance: { method: 'round_robin' },
        queue: null,
        lastResort: true,
        retryBudget: { percent: 20, min: 3 },
        check: null,
        ...setup.upstream
      }
    ],
    servers: [
      {
        listen: { host: '127.0.0.1', port: 0 },
        isDefault: false,
        names: ['_'],
        acceptBareLf: false,
        maxConnectionsPerClient: 0,
        routes: [{ ...PAIR_ROUTE, accessLogs: logs, ...setup.route }],
        keepaliveTimeoutMs: 65_000,
        keepaliveRequests: 1000,
        clientHeaderTimeoutMs: 60_000,
        clientBodyTimeoutMs: 60_000,
        sendTimeoutMs: 60_000,
        accessLogs: logs,
        ...setup.server
      }
    ],
    ...setup.config
  }
}

/** Starts a proxy in this process; it is gone when the test ends. */
export async function startProxy(
  t: Test,
  setup: ProxySetup,
  options: Partial<EngineOptions> = {}
): Promise<ProxyUnderTest> {
  const directory = mkdtempSync(join(tmpdir(), 'tsha-proxy-'))
  const events: ProxyUnderTest['events'] = []
  const engine = new Engine({
    config: proxyConfig(setup, directory),
    checkToken: 'the-token',
    reportPeerEvent: (index, event) => events.push({ index, event }),
    ...options
  })
  const [address] = await engine.listen()
  if (address === undefined) throw new Error('nothing listens')
  let closing: Promise<void> | null = null
  const close = (): Promise<void> => (closing ??= engine.shutdown(2000))
  t.teardown(async () => {
    await close()
    rmSync(directory, { recursive: true, force: true })
  })
  const linesOf = async (name: string): Promise<string[]> => {
    await close()
    return readFileSync(join(directory, name), 'latin1').split('\n').slice(0, -1)
  }
  return {
    port: address.port,
    engine,
    events,
    accessLog: () => linesOf('access.log'),
    errorsSoFar: () => readFileSync(join(directory, 'error.log'), 'latin1'),
    errorLog: () => linesOf('error.log')
  }
}
