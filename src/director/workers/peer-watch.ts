import { httpCheck } from '../../health/checks/http.js'
import { tcpCheck } from '../../health/checks/tcp.js'
import type { CheckResult, CheckRun, OnResult } from '../../health/scheduler.js'
import { observe, PASSED, UNKNOWN, type CheckStatus } from '../../health/status.js'
import type { UpstreamCheck, UpstreamServer } from '../../proxy/model.js'
import { HEALTHY, type PeerEvent, type PeerStatus } from '../../proxy/upstream/peer-status.js'
import {
  PROBE_INTERVAL_MS,
  PROBE_TIMEOUT_MS,
  SUSPICION_INTERVAL_MS,
  recoveryProbe,
  suspicion,
  type Question
} from '../../proxy/upstream/recovery.js'

/** Runs of one peer are up to this share earlier, so that those of many peers and directors spread. */
const JITTER = 0.1

/** A server that the director asks by itself. */
export interface WatchedPeer {
  readonly server: UpstreamServer
  /** Name of its upstream: the Host of a probe. */
  readonly upstream: string
  /** The regular check of the upstream; it is also the probe after failures. */
  readonly check: UpstreamCheck | null
}

/** The world of a watch; another one is given by tests. */
export interface WatchPorts {
  /** Milliseconds of CLOCK_MONOTONIC. */
  readonly now: () => number
  /** From 0 to 1, without 1. */
  readonly random: () => number
  /** The IP address for a connection to a host; null while its name has never been resolved. */
  readonly addressOf: (host: string) => string | null
  readonly tcpCheck: typeof tcpCheck
  readonly httpCheck: typeof httpCheck
}

export const WATCH_PORTS: Omit<WatchPorts, 'now' | 'addressOf'> = {
  random: Math.random,
  tcpCheck,
  httpCheck
}

/**
 * Asks one peer: regularly where its upstream has a check; and in any case when clients gave up on
 * it, and while failures have it disabled, so that no client has to find out whether it is well. One
 * run at a time, one timer.
 */
export class PeerWatch {
  readonly #peer: WatchedPeer
  readonly #ports: WatchPorts
  readonly #tell: (event: PeerEvent, detail: string) => void
  readonly #onResult: OnResult
  readonly #abort = new AbortController()
  #status: PeerStatus = HEALTHY
  #checkStatus: CheckStatus = UNKNOWN
  #hasPassed = true
  #ranAt = -Infinity
  #timer: NodeJS.Timeout | null = null
  #isRunning = false
  #isAllowed = true
  /** Runs that began before the last change of what is wanted are not believed. */
  #epoch = 0

  /**
   * @param tell takes what a run taught about the peer to its status, which comes back by `update`
   * @param onResult told of every result of the regular check
   */
  constructor(
    peer: WatchedPeer,
    ports: WatchPorts,
    tell: (event: PeerEvent, detail: string) => void,
    onResult: OnResult = () => undefined
  ) {
    this.#peer = peer
    this.#ports = ports
    this.#tell = tell
    this.#onResult = onResult
  }

  /** What was known of the peer before there was this watch. */
  restore(status: PeerStatus): void {
    this.#status = status
    if (this.#peer.check === null) return
    this.#hasPassed = !status.isDown
    this.#checkStatus = { isUp: !status.isDown, contradictions: 0 }
  }

  /** Begins the regular check, and to ask for what is to be known at once; the first run at a random time within its interval. */
  start(): void {
    const { check } = this.#peer
    if (this.#abort.signal.aborted) return
    if (check !== null) this.#ranAt = this.#ports.now() - check.intervalMs * this.#ports.random()
    this.#plan()
  }

  /** The status of the peer has changed. */
  update(status: PeerStatus): void {
    this.#status = status
    if (!this.#isRunning) this.#plan()
  }

  /** Whether the peer is asked at all. */
  allow(isAllowed: boolean): void {
    if (isAllowed === this.#isAllowed) return
    this.#isAllowed = isAllowed
    this.#epoch++
    if (!this.#isRunning) this.#plan()
  }

  /** An administrator says that it is well: only failures from now on count. */
  trust(): void {
    this.#epoch++
    this.#hasPassed = true
    this.#checkStatus = PASSED
  }

  /** Ends for good, a run that is going on too. */
  stop(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    this.#abort.abort()
  }

  #plan(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    const dueAt = this.#dueAt()
    if (dueAt === null || this.#abort.signal.aborted) return
    this.#wait(dueAt)
  }

  /** Runs at an instant and never before it, although timers may end early. */
  #wait(dueAt: number): void {
    const leftMs = Math.max(0, Math.ceil(dueAt - this.#ports.now()))
    this.#timer = setTimeout(() => {
      this.#timer = null
      if (this.#ports.now() < dueAt) this.#wait(dueAt)
      else this.#run()
    }, leftMs)
  }

  /** When the next run is due, or null if none is. */
  #dueAt(): number | null {
    if (!this.#isAllowed) return null
    const { check, server } = this.#peer
    const early = 1 - JITTER * this.#ports.random()
    if (this.#doubt() !== null) return this.#ranAt + SUSPICION_INTERVAL_MS
    const probe = recoveryProbe(this.#status, server)
    if (check !== null) {
      const isWell = probe === null && this.#hasPassed && !this.#status.isDown
      return this.#ranAt + (isWell ? check.intervalMs : check.fastIntervalMs) * early
    }
    if (probe === null) return null
    return Math.max(probe.notBefore, this.#ranAt + PROBE_INTERVAL_MS * early)
  }

  /** The question that the last sign is worth, unless it was asked. */
  #doubt(): Question | null {
    const doubt = suspicion(this.#status, this.#peer.server)
    return doubt !== null && this.#ranAt < doubt.notBefore ? doubt : null
  }

  #run(): void {
    const { check, server } = this.#peer
    const question = this.#doubt() ?? recoveryProbe(this.#status, server)
    // A connection is no answer for a peer that has to give one.
    const isCheck = check !== null && (question?.type !== 'http' || check.type === 'http')
    const type = isCheck ? check.type : question?.type
    if (type === undefined) return
    this.#ranAt = this.#ports.now()
    const host = this.#ports.addressOf(server.host)
    if (host === null) {
      // Nobody can be asked, and a name that is not resolved keeps requests away by itself.
      this.#plan()
      return
    }
    this.#isRunning = true
    const epoch = this.#epoch
    const run = this.#runner(type, host, isCheck ? check : null)
    run(this.#abort.signal)
      .catch((error: unknown): CheckResult => ({
        passed: false,
        detail: `could not run: ${String(error)}`
      }))
      .then((result) => {
        this.#isRunning = false
        if (this.#abort.signal.aborted) return
        if (epoch !== this.#epoch) {
          this.#plan()
          return
        }
        if (isCheck && result.isOurs !== true) this.#observe(check, result)
        if (result.passed) this.#believe(type, result.detail)
        this.#plan()
      })
      .catch((error: unknown) => {
        // Only an observer that throws gets here: our own bug, which must not pass unseen.
        process.nextTick(() => {
          throw error
        })
      })
  }

  #runner(type: 'tcp' | 'http', host: string, check: UpstreamCheck | null): CheckRun {
    const { server, upstream } = this.#peer
    const { port } = server
    const timeoutMs = check?.timeoutMs ?? PROBE_TIMEOUT_MS
    if (type === 'tcp') return this.#ports.tcpCheck({ host, port, timeoutMs })
    return this.#ports.httpCheck({
      host,
      port,
      timeoutMs,
      path: check?.path ?? '/',
      hostField: check?.host ?? upstream,
      expectStatus: check?.expectStatus ?? ANY_BUT_5XX,
      expectBody: check?.expectBody ?? null
    })
  }

  /** The regular check has a result. */
  #observe(check: UpstreamCheck, result: CheckResult): void {
    const { passed, detail } = result
    this.#hasPassed = passed
    const before = this.#checkStatus
    this.#checkStatus = observe(before, passed, check)
    this.#onResult(before, result, this.#checkStatus)
    const isUp = this.#checkStatus.isUp === true
    if (isUp === this.#status.isDown) this.#tell({ kind: 'checked', isUp }, detail)
  }

  /** The peer was well. */
  #believe(type: 'tcp' | 'http', detail: string): void {
    const probe = recoveryProbe(this.#status, this.#peer.server)
    if (probe !== null) {
      const isEnough = type === 'http' || probe.type === 'tcp'
      if (isEnough && this.#ranAt >= probe.notBefore) this.#tell({ kind: 'recovered' }, detail)
      return
    }
    const at = this.#ports.now()
    if (this.#status.unconnected.count > 0) {
      this.#tell({ kind: 'heard', at, awaited: 'connection' }, detail)
    }
    if (type === 'http' && this.#status.unanswered.count > 0) {
      this.#tell({ kind: 'heard', at, awaited: 'answer' }, detail)
    }
  }
}

const ANY_BUT_5XX = [[100, 499]] as const
