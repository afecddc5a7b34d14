import { timingSafeEqual } from 'node:crypto'
import type { Server } from 'node:net'
import { hostname } from 'node:os'
import { TshaError, messageOf } from '../errors.js'
import { BodyFiles } from './body/body-files.js'
import { BodyBudget } from './body/budget.js'
import { systemClock, type Clock } from './clock.js'
import { EngineClientHost, type ClientEngine, type EngineCounters } from './client-host.js'
import { clientOf, type ConnectionLimit } from './connection-limit.js'
import type { ClientConnection, ClientHost } from './downstream/client.js'
import { Http1Client } from './downstream/http1.js'
import { DescriptorWatch, connectionRoom, isLack, openFileLimit } from './descriptors.js'
import type { ConnectionRoom } from './descriptors.js'
import { refuseConnection } from './downstream/refuse-connection.js'
import { Drain, drainSilenceMs } from './drain.js'
import { plainAddress } from './endpoint.js'
import { ErrorLog } from './error-log.js'
import { IdleList } from './idle-list.js'
import { httpDate } from './http1/write.js'
import type { LogNews } from './log-file.js'
import { Logs, type TellLog } from './logs.js'
import type { ListenAddress, ProxyConfig } from './model.js'
import { compileListeners, type Listener, type SiteTable } from './site.js'
import { createAcceptor } from './tcp/acceptor.js'
import { listenOn } from './tcp/listen.js'
import type { TcpSocket } from './tcp/socket.js'
import { Traffic } from './traffic.js'
import { trafficNames } from './traffic-names.js'
import { TrafficReporter, type TellTraffic } from './traffic-reporter.js'
import { LeavingPeers, type TellInFlight } from './upstream/leaving-peers.js'
import { PeerGroup } from './upstream/peer-group.js'
import type { PeerStatus } from './upstream/peer-status.js'
import type { PeerWish } from './upstream/peer-wish.js'
import type { Peer, ReportPeerEvent } from './upstream/peer.js'
import { UpstreamPool } from './upstream/pool.js'
import type { TellTurn } from './upstream/shared-turn.js'
import { WaitingRoom } from './waiting-room.js'
import type { ResolvedName } from './worker-messages.js'

/** How often deadlines are looked at: a timeout is never early and at most this late. */
const SWEEP_MS = 100
/** nginx's `listen … backlog` on Linux. */
const BACKLOG = 511

/** What an engine is made of. */
export interface EngineOptions {
  readonly config: ProxyConfig
  /** Value of `X-Tsha-Check` that marks the director's own check. */
  readonly checkToken: string
  /** Statuses of all peers by index; missing ones are healthy. */
  readonly peers?: readonly PeerStatus[]
  /** What an administrator wants of each peer, by index; of missing ones what is configured. */
  readonly wishes?: readonly PeerWish[]
  /** What host names of servers were resolved to so far. */
  readonly names?: readonly ResolvedName[]
  /** Told of everything learned about peers; the engine has applied it to itself already. */
  readonly reportPeerEvent?: ReportPeerEvent
  /** Told how many requests a peer has that takes no new ones. */
  readonly tellInFlight?: TellInFlight
  /** Told when a log takes no lines, and when it does again. */
  readonly tellLog?: TellLog
  /** Takes the turns of the round robin to the other workers. */
  readonly tellTurn?: TellTurn
  /** Takes what is counted. */
  readonly tellTraffic?: TellTraffic
  readonly clock?: Clock
}

/**
 * One HTTP/1.1 reverse proxy: listeners, clients, upstream connections and logs of one process. The
 * file is long because all of these share one account of connections, and one end.
 */
export class Engine implements ClientEngine {
  readonly errorLog: ErrorLog
  readonly pool: UpstreamPool
  readonly bodyFiles: BodyFiles
  readonly now: () => number
  isDraining = false
  drainSilenceMs = Infinity
  readonly #config: ProxyConfig
  readonly #clock: Clock
  readonly #token: Buffer
  readonly #groups: readonly PeerGroup[]
  readonly #leaving: LeavingPeers
  readonly #listeners: readonly Listener[]
  readonly #logs: Logs
  readonly #descriptors: DescriptorWatch
  #room: ConnectionRoom
  readonly #servers: Server[] = []
  readonly #clients = new Set<ClientConnection>()
  /** Clients without a request, the one that waits longest first. */
  readonly #idle = new IdleList<ClientConnection>()
  readonly #waiting = new WaitingRoom<Listener>(() => {
    this.#clientLeft()
  })
  #serial = 0
  #sweeper: NodeJS.Timeout | null = null
  #dateSecond = -1
  #date = ''
  readonly #drain = new Drain()
  readonly #traffic: Traffic
  readonly #reporter: TrafficReporter | null
  #isEnding = false
  #shutdown: Promise<void> | null = null
  readonly #counters: EngineCounters = {
    clientConnections: 0,
    upstreamConnections: 0,
    queuedRequests: 0,
    accepted: 0,
    refused: 0,
    requests: 0,
    checks: 0,
    responses: new Uint32Array(6),
    bytesReceived: 0,
    bytesSent: 0,
    logLinesDropped: 0
  }

  /**
   * Compiles the configuration and opens the log files.
   * @throws {TshaError} TSHA_E_LOG_FILE if a log cannot be opened, TSHA_E_WORKER if the
   * configuration cannot work
   */
  constructor(options: EngineOptions) {
    const { config } = options
    this.#config = config
    this.#clock = options.clock ?? systemClock()
    this.now = this.#clock.now.bind(this.#clock)
    this.#token = Buffer.from(options.checkToken, 'latin1')
    const wall = this.#clock.wall.bind(this.#clock)
    const { path, level } = config.errorLog ?? { path: null, level: 'error' }
    this.#logs = new Logs((log, news) => {
      this.#noteLog(log, news)
      options.tellLog?.(log, news)
    })
    this.#descriptors = this.#watchDescriptors()
    this.#room = connectionRoom(config.workerConnections, openFileLimit() ?? 0)
    this.errorLog = new ErrorLog(this.#logs.open(path), level, wall, process.pid)
    this.bodyFiles = new BodyFiles(config.bodyTempPath, new BodyBudget(), this.errorLog, this.now)
    const report = options.reportPeerEvent ?? ((): undefined => undefined)
    this.pool = new UpstreamPool(config.upstreams)
    this.#leaving = new LeavingPeers(options.tellInFlight ?? ((): undefined => undefined))
    const facts = { hostname: hostname(), pid: process.pid }
    const ports = { now: this.now, random: Math.random, report, facts }
    const { listeners, peers } = trafficNames(config)
    this.#traffic = new Traffic(listeners.length, peers.length)
    const { tellTraffic } = options
    this.#reporter = tellTraffic ? new TrafficReporter(this.#traffic, tellTraffic) : null
    let peerCount = 0
    try {
      this.#groups = config.upstreams.map((upstream) => {
        const group = new PeerGroup(upstream, peerCount, ports)
        if (options.tellTurn) group.shareTurn(config.workers, options.tellTurn)
        peerCount += upstream.servers.length
        return group
      })
      const groups = new Map(this.#groups.map((group) => [group.name, group]))
      this.#listeners = compileListeners(config, groups, facts, (log) => this.#logs.open(log))
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new TshaError('TSHA_E_WORKER', error.message, { cause: error })
    }
    for (const [index, status] of (options.peers ?? []).entries()) {
      this.applyPeerStatus(index, status)
    }
    for (const [index, wish] of (options.wishes ?? []).entries()) this.applyPeerWish(index, wish)
    for (const name of options.names ?? []) this.applyName(name)
  }

  /**
   * Listens on every address of the configuration.
   * @returns the addresses in that order, with the ports that the system chose for port 0
   * @throws {TshaError} TSHA_E_LISTEN naming the address and what stands against it
   */
  async listen(): Promise<ListenAddress[]> {
    const addresses: ListenAddress[] = []
    for (const listener of this.#listeners) addresses.push(await this.#listenOn(listener))
    // What has come meanwhile is read before anybody is closed for having been silent.
    this.#sweeper = setInterval(() => {
      setImmediate(() => {
        this.#sweep()
      })
    }, SWEEP_MS)
    return addresses
  }

  /** Takes over what the director knows about a peer. */
  applyPeerStatus(index: number, status: PeerStatus): void {
    this.#withPeer(index, (group, peer) => {
      group.takeStatus(peer, status)
    })
  }

  /** Takes over what an administrator wants of a peer. */
  applyPeerWish(index: number, wish: PeerWish): void {
    this.#withPeer(index, (group, peer) => {
      group.takeWish(peer, wish)
      if (!peer.keepsConnections) this.pool.closeIdle(peer)
      this.#leaving.wished(peer)
    })
  }

  #withPeer(index: number, act: (group: PeerGroup, peer: Peer) => void): void {
    for (const group of this.#groups) {
      const peer = group.peers[index - (group.peers[0]?.index ?? 0)]
      if (peer?.index === index) act(group, peer)
    }
  }

  /** Takes over what the director has resolved a host name to. */
  applyName({ host, addresses }: ResolvedName): void {
    for (const peer of this.#groups.flatMap(({ peers }) => peers)) {
      if (peer.server.host !== host) continue
      peer.addresses.replace(addresses)
      this.pool.retire(peer)
    }
  }

  /** Takes over where another worker is in the round robin of the group with this first peer. */
  takeTurn(firstIndex: number, currentWeights: readonly number[]): void {
    const group = this.#groups.find(({ peers }) => peers[0]?.index === firstIndex)
    group?.takeTurn(currentWeights)
  }

  /** Opens all log files anew; one that cannot be opened goes on in its old file and says so. */
  async reopenLogs(): Promise<void> {
    await this.#logs.reopen(this.now(), (path, error) => {
      this.errorLog.write('crit', `open() "${path}" failed: ${messageOf(error)}`)
    })
  }

  /**
   * Goes on accepting, but every response is the last of its connection: clients should have none
   * that they could use when the address moves. With `isOn` false the address has not moved.
   */
  closeKept(isOn: boolean): void {
    this.isDraining = isOn || this.#isEnding
  }

  /**
   * Stops accepting, lets the requests that run or are on their way finish with `Connection: close`,
   * and closes everything after `graceMs` at the latest. A second call may only shorten that.
   */
  shutdown(graceMs: number): Promise<void> {
    this.#drain.limit(graceMs, this.now())
    return (this.#shutdown ??= this.#finish(graceMs))
  }

  async #finish(graceMs: number): Promise<void> {
    this.#isEnding = true
    this.isDraining = true
    this.drainSilenceMs = drainSilenceMs(graceMs)
    // The other workers go on accepting from the queue that they share with us.
    for (const server of this.#servers) server.close()
    for (const client of this.#idle) client.drain()
    this.#clientLeft()
    await this.#drain.over
    this.#waiting.clear()
    for (const client of this.#clients) client.destroy()
    await this.#drain.emptied
    this.#noteInFlight()
    const isTold = this.#reporter?.tellLast()
    this.pool.destroy()
    if (this.#sweeper !== null) clearInterval(this.#sweeper)
    await this.#logs.close()
    await isTold
  }

  /** One client less: perhaps it was the last one that a shutdown waited for. */
  #clientLeft(): void {
    if (this.#isEnding && this.#clients.size + this.#waiting.size === 0) this.#drain.empty()
  }

  /** What was done so far. */
  get counters(): Readonly<EngineCounters> {
    this.#counters.clientConnections = this.#clients.size
    this.#counters.upstreamConnections = this.pool.size
    let queued = 0
    for (const { queue } of this.#groups) queued += queue?.size ?? 0
    this.#counters.queuedRequests = queued
    this.#counters.logLinesDropped = this.#logs.dropped
    return this.#counters
  }

  isCheck(value: string): boolean {
    const given = Buffer.from(value, 'latin1')
    return given.length === this.#token.length && timingSafeEqual(given, this.#token)
  }

  admitUpstream(): boolean {
    return this.#used < this.#room.connections || this.#makeRoom()
  }

  lacksDescriptor(mayFree: boolean): boolean {
    this.#descriptors.failed(this.now())
    return mayFree && this.#makeRoom()
  }

  #watchDescriptors(): DescriptorWatch {
    return new DescriptorWatch({
      makeRoom: () => this.#makeRoom(),
      limitRead: (openFiles) => {
        this.#room = connectionRoom(this.#config.workerConnections, openFiles)
      },
      say: (level, message) => {
        this.errorLog.write(level, message)
      }
    })
  }

  get #used(): number {
    return this.#clients.size + this.pool.size
  }

  /**
   * Makes room for one more client, for the upstream connection that its request will need, and for
   * those of the clients before it, so that nobody is let in only to be told that there is no room.
   */
  #admitClient(): boolean {
    const limit = this.#room.connections
    const clients = this.#clients
    // The first comparison spares most newcomers the count.
    while (2 * clients.size + 2 > limit && clients.size + this.#activeClients() + 2 > limit) {
      if (!this.#closeSpareClient()) return false
    }
    while (this.#used >= limit) if (!this.pool.closeOldestIdle()) return false
    return true
  }

  /** Clients that have an upstream connection or may need one at any moment. */
  #activeClients(): number {
    const now = this.now()
    let active = this.#clients.size
    for (const client of this.#idle) if (client.isSpare(now)) active--
    return active
  }

  /** Closes what is least missed: an idle upstream connection, else the oldest spare client. */
  #makeRoom(): boolean {
    return this.pool.closeOldestIdle() || this.#closeSpareClient()
  }

  #closeSpareClient(): boolean {
    const now = this.now()
    for (const client of this.#idle) {
      if (!client.isSpare(now)) continue
      this.#idle.delete(client)
      this.#clients.delete(client)
      client.destroy()
      return true
    }
    return false
  }

  async #listenOn(listener: Listener): Promise<ListenAddress> {
    const server = createAcceptor((socket) => {
      this.#accept(socket, listener)
    })
    this.#servers.push(server)
    return listenOn(server, listener.address, BACKLOG, (error) => {
      if (isLack(error)) this.#descriptors.refused(this.now())
      else this.errorLog.write('crit', `accept() failed: ${error.message}`)
    })
  }

  #accept(socket: TcpSocket, listener: Listener): void {
    this.#counters.accepted++
    this.#traffic.accepted(tableFor(socket, listener).index)
    if (listener.limit !== null && !this.#isWelcome(socket, listener.limit)) return
    if (this.#admitClient()) this.#serve(socket, listener)
    else this.#waiting.hold(socket, listener, this.#room.waiting)
  }

  /** Counts the connection for its client, or refuses it if that has enough of them. */
  #isWelcome(socket: TcpSocket, limit: ConnectionLimit): boolean {
    // The director itself, whose check of this proxy must not fail because others are many.
    if (socket.remoteAddress === socket.localAddress) return true
    const client = clientOf(plainAddress(socket.remoteAddress))
    if (limit.take(client)) {
      socket.onceClosed(() => {
        limit.release(client)
      })
      return true
    }
    this.#counters.refused++
    refuseConnection(socket, this.date())
    const line = limit.refusalLine(client, this.now())
    if (line !== null) this.errorLog.write('error', line)
    return false
  }

  #admitWaiting(): void {
    while (this.#waiting.size > 0 && this.#admitClient()) {
      const first = this.#waiting.takeFirst()
      if (first === null) return
      this.#serve(first.socket, first.entrance)
      first.socket.resume()
    }
  }

  #serve(socket: TcpSocket, listener: Listener): void {
    const serverAddress = plainAddress(socket.localAddress)
    const table = tableFor(socket, listener)
    const facts = {
      remoteAddress: plainAddress(socket.remoteAddress),
      remotePort: socket.remotePort ?? 0,
      serverAddress,
      serverPort: socket.localPort ?? listener.address.port,
      connection: ++this.#serial
    }
    const host = this.#hostFor(table)
    const client = new Http1Client(socket, facts, table.fallback.config, host)
    this.#clients.add(client)
    this.#traffic.opened(table.index)
    if (this.isDraining) client.drain()
  }

  forget(client: ClientConnection): void {
    this.#clients.delete(client)
    if (this.#waiting.size > 0) this.#admitWaiting()
    this.#clientLeft()
  }

  readonly #hosts = new Map<SiteTable, ClientHost>()

  /** The engine as the clients of one address see it. */
  #hostFor(table: SiteTable): ClientHost {
    const known = this.#hosts.get(table)
    if (known !== undefined) return known
    const host = new EngineClientHost(
      this,
      table,
      this.#idle,
      this.#clock,
      this.#counters,
      this.#traffic
    )
    this.#hosts.set(table, host)
    return host
  }

  /** The Date field, made once a second. */
  date(): string {
    const wall = this.#clock.wall()
    const second = Math.floor(wall / 1000)
    if (second !== this.#dateSecond) {
      this.#dateSecond = second
      this.#date = httpDate(wall)
    }
    return this.#date
  }

  /** Tells the error log of trouble with another one. */
  #noteLog(path: string | null, news: LogNews): void {
    if (path === (this.#config.errorLog?.path ?? null)) return
    if ('problem' in news) {
      this.errorLog.write('crit', `write() to "${String(path)}" failed: ${news.problem}`)
    } else {
      const what = `"${String(path)}" takes lines again, ${news.lost} were lost`
      this.errorLog.write('crit', what)
    }
  }

  /** Waits a second at most for what is being written to logs. Returns whether all of it is. */
  settleLogs(): Promise<boolean> {
    return this.#logs.settle()
  }

  /** The only timer: deadlines of all connections, and the logs. */
  #sweep(): void {
    const now = this.now()
    for (const client of this.#clients) if (client.deadline <= now) client.onDeadline(now)
    this.pool.sweep(now)
    this.bodyFiles.sweep(now)
    for (const group of this.#groups) group.sweep(now)
    this.#leaving.sweep()
    if (this.#waiting.size > 0) this.#admitWaiting()
    this.#logs.sweep(now)
    this.#descriptors.sweep(now)
    if (this.#reporter?.isDue(now) === true) {
      this.#noteInFlight()
      this.#reporter.tell(now)
    }
  }

  #noteInFlight(): void {
    const { inFlight } = this.#traffic
    for (const { peers } of this.#groups)
      for (const peer of peers) inFlight[peer.index] = peer.active
  }
}

/** The sites of the address that a client has connected to. */
function tableFor(socket: TcpSocket, { byAddress, table }: Listener): SiteTable {
  return byAddress.size === 0 ? table : (byAddress.get(plainAddress(socket.localAddress)) ?? table)
}
