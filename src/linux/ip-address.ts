import { TshaError } from '../errors.js'
import { monotonicNow } from './clock.js'
import type { NetworkInterface } from './interface.js'
import { runIpCommands, startIpCommands, type IpRun } from './ip-command.js'

/** An address that a virtual router may hold, and how it is added. */
export interface LeasableAddress {
  readonly address: string
  readonly prefixLength: number
  /** Null for the manager's own. */
  readonly interface: string | null
  /** `ip addr`'s `brd`; null leaves it out. */
  readonly broadcast: string | null
  /** IPv4 only. */
  readonly label: string | null
  readonly scope: string | null
  readonly noPrefixRoute: boolean
  /** The other end of a link between two. */
  readonly peer: string | null
  /** Added with a preferred lifetime of 0: the machine does not speak from it by itself. */
  readonly isDeprecated: boolean
}

/** Who wants to know how the addresses fare. */
export interface AddressObserver {
  /** `ip` refuses or hangs; told once until it works again or says something else. */
  failed(message: string): void
  /** False when the addresses cannot be held; true when they can be changed again. */
  holdable(isHoldable: boolean): void
}

/** An address is renewed when a third of its lease is over, so two renewals may fail. */
const RENEWALS_PER_LEASE = 3
/** Without a lease too: somebody else may have removed the address. */
const UNLEASED_RENEWAL_MS = 1000
/** After a pause the state machine knows within a few turns of the loop whether it is still master. */
const AFTER_PAUSE_MS = 50
/** A wait of `AFTER_PAUSE_MS` that took this long was a pause; a busy machine does not take so long. */
const ANOTHER_PAUSE_MS = 500
/** An address that could not be added this long after it was asked for cannot be held. */
const ADD_PATIENCE_MS = 1500
/** How often it is tried whether addresses can be changed again. */
const PROBE_INTERVAL_MS = 1000

/**
 * Holds IPv4 and IPv6 addresses with `ip addr`. They are leased: the kernel removes them by itself
 * when they are no longer renewed, so a dead or frozen director does not keep them (with a lease of
 * 3 s it took 3.16 s, measured). Calls must not overlap; the speaker makes one after the other.
 *
 * IPv6 addresses are added as keepalived 2.2.7 does (seen): without duplicate address detection, which
 * would keep them unusable for a second.
 */
export class IpAddressManager {
  readonly #interface: string
  readonly #addresses: readonly LeasableAddress[]
  readonly #leaseMs: number | null
  readonly #observer: AddressObserver
  readonly #runs = new Set<IpRun>()
  #renewal: NodeJS.Timeout | null = null
  #probe: NodeJS.Timeout | null = null
  /** Until when the addresses are there, or may still be missing, whatever `ip` says. */
  #heldUntil = 0
  #lastFailure = ''

  /**
   * @param interfaceName where addresses are held that do not say otherwise
   * @param leaseMs whole seconds; null adds the addresses for ever
   */
  constructor(
    interfaceName: string,
    addresses: readonly LeasableAddress[],
    leaseMs: number | null,
    observer: AddressObserver
  ) {
    this.#interface = interfaceName
    this.#addresses = addresses
    this.#leaseMs = leaseMs
    this.#observer = observer
  }

  /** Whether the addresses are to be there; what is missing then was removed by somebody else. */
  get isHolding(): boolean {
    return this.#renewal !== null
  }

  /** Until when the kernel keeps the addresses without another renewal; Infinity for ever. */
  get heldUntil(): number {
    return this.#heldUntil
  }

  /**
   * Removes what an earlier life left behind, under another prefix length too.
   *
   * @param present the interfaces as they are now; others are not looked at
   * @throws {TshaError} `TSHA_E_ADDRESS` when addresses cannot be changed at all
   */
  async clear(present: readonly NetworkInterface[]): Promise<void> {
    const leftBehind = this.#addresses.flatMap((own) => {
      const holder = present.find(({ name }) => name === this.#interfaceOf(own))
      const found = holder?.addresses.filter(({ address }) => address === own.address) ?? []
      return found.map(({ prefixLength }) => ({ ...own, prefixLength }))
    })
    const failure = await this.#removeAll([...this.#addresses, ...leftBehind])
    if (failure === null) return
    const hint = failure.includes('not permitted') ? 'needs root or CAP_NET_ADMIN' : failure
    throw new TshaError('TSHA_E_ADDRESS', `cannot change addresses of ${this.#interface}: ${hint}`)
  }

  async add(): Promise<void> {
    if (this.#renewal === null) {
      this.#heldUntil = monotonicNow() + ADD_PATIENCE_MS
      const period =
        this.#leaseMs === null ? UNLEASED_RENEWAL_MS : this.#leaseMs / RENEWALS_PER_LEASE
      // Whether or not the one before has ended: an `ip` that hangs must not end the lease.
      this.#renewal = setInterval(() => {
        this.#renew()
      }, period)
    }
    await this.#replaceAll()
  }

  /**
   * Takes the place of `old`, which has other addresses: what is only there is removed, what is there too
   * stays without a gap, what is missing is added if `old` holds its addresses. Never rejects.
   *
   * @param emptied called when nothing of `old` is left that is not ours; what it returns is awaited
   * before anything is added, since another one may have to let go of it first
   */
  async takeOver(old: IpAddressManager, emptied: () => Promise<void>): Promise<void> {
    const { isHolding } = old
    await old.#endRuns()
    old.close()
    const [before, after] = [old, this].map(
      (manager) => new Set(manager.#addresses.map((each) => manager.#formOf(each)))
    )
    const vanished = old.#addresses.filter((each) => !after?.has(old.#formOf(each)))
    // As at a start: what an earlier life left behind is not ours.
    const found = isHolding
      ? []
      : this.#addresses.filter((each) => !before?.has(this.#formOf(each)))
    const failure = await this.#removeAll([...vanished, ...found])
    if (failure !== null) this.#fail(`cannot remove addresses of ${this.#interface}: ${failure}`)
    await emptied()
    if (isHolding) await this.add()
  }

  async remove(): Promise<void> {
    await this.#endRuns()
    const failure = await this.#removeAll(this.#addresses)
    if (failure !== null) this.#fail(`cannot remove addresses of ${this.#interface}: ${failure}`)
  }

  /** Ends what runs by itself. The addresses stay as they are. */
  close(): void {
    if (this.#renewal) clearInterval(this.#renewal)
    if (this.#probe) clearInterval(this.#probe)
    this.#renewal = null
    this.#probe = null
  }

  /** A renewal that came after a removal would bring the address back for a whole lease. */
  async #endRuns(): Promise<void> {
    if (this.#renewal) clearInterval(this.#renewal)
    this.#renewal = null
    for (const run of this.#runs) run.kill()
    await Promise.all([...this.#runs].map((run) => run.result))
  }

  /**
   * Renews the lease. One that has run out tells of a pause, in which another director may have taken the
   * addresses: whether we still are to hold them is decided first.
   */
  #renew(): void {
    if (this.#leaseMs === null || monotonicNow() < this.#heldUntil) {
      void this.#replaceAll()
      return
    }
    const renewal = this.#renewal
    const since = monotonicNow()
    setTimeout(() => {
      if (this.#renewal === null || this.#renewal !== renewal) return
      // Another pause may have come in between: then it is decided anew.
      if (monotonicNow() - since >= ANOTHER_PAUSE_MS) this.#renew()
      else void this.#replaceAll()
    }, AFTER_PAUSE_MS)
  }

  /** Resolves with a failure, null when none of the addresses is there any more. */
  async #removeAll(addresses: readonly LeasableAddress[]): Promise<string | null> {
    if (addresses.length === 0) return null
    const { ok, failure } = await runIpCommands(
      addresses.map((each) => ['addr', 'del', ...place(each), 'dev', this.#interfaceOf(each)])
    )
    return ok || isAbsent(failure) ? null : failure
  }

  async #replaceAll(): Promise<void> {
    const startedAt = monotonicNow()
    const result = await this.#run(this.#addresses.map((each) => this.#replacement(each)))
    if (this.#renewal === null) return // given up meanwhile
    if (result.ok) {
      this.#heldUntil = this.#leaseMs === null ? Infinity : startedAt + this.#leaseMs
      this.#lastFailure = ''
      return
    }
    this.#fail(`cannot hold the addresses on ${this.#interface}: ${result.failure}`)
    if (monotonicNow() >= this.#heldUntil && this.#probe === null) this.#giveUp()
  }

  /** The `ip` command that adds an address or renews it. */
  #replacement(entry: LeasableAddress): readonly string[] {
    const isIpv6 = entry.address.includes(':')
    const valid = this.#leaseMs === null ? 'forever' : String(this.#leaseMs / 1000)
    const preferred = entry.isDeprecated ? '0' : valid
    const command = ['addr', 'replace', ...place(entry), 'dev', this.#interfaceOf(entry)]
    if (entry.broadcast !== null) command.push('brd', entry.broadcast)
    if (entry.label !== null) command.push('label', entry.label)
    if (entry.scope !== null) command.push('scope', entry.scope)
    if (entry.noPrefixRoute) command.push('noprefixroute')
    if (isIpv6) command.push('nodad')
    return [...command, 'valid_lft', valid, 'preferred_lft', preferred]
  }

  /** The whole of an address but its lifetime: what cannot be changed without removing it. */
  #formOf(entry: LeasableAddress): string {
    const { broadcast, label, scope, noPrefixRoute } = entry
    return JSON.stringify([
      place(entry),
      this.#interfaceOf(entry),
      broadcast,
      label,
      scope,
      noPrefixRoute
    ])
  }

  #interfaceOf(entry: LeasableAddress): string {
    return entry.interface ?? this.#interface
  }

  async #run(commands: readonly (readonly string[])[]): Promise<Awaited<IpRun['result']>> {
    const run = startIpCommands(commands)
    this.#runs.add(run)
    const result = await run.result
    this.#runs.delete(run)
    return result
  }

  #fail(message: string): void {
    if (message === this.#lastFailure) return
    this.#lastFailure = message
    this.#observer.failed(message)
  }

  /** Tells that the addresses cannot be held, and tries until a removal works again. */
  #giveUp(): void {
    let isProbing = false
    const probe = setInterval(() => {
      if (isProbing || this.#renewal !== null) return
      isProbing = true
      void this.#removeAll(this.#addresses).then((failure) => {
        isProbing = false
        if (failure !== null || this.#probe !== probe) return
        clearInterval(probe)
        this.#probe = null
        this.#lastFailure = ''
        this.#observer.holdable(true)
      })
    }, PROBE_INTERVAL_MS)
    this.#probe = probe
    this.#observer.holdable(false)
  }
}

/** How `ip addr` names an address; the prefix length is written behind the peer where there is one. */
function place({ address, prefixLength, peer }: LeasableAddress): readonly string[] {
  return peer === null
    ? [`${address}/${prefixLength}`]
    : [address, 'peer', `${peer}/${prefixLength}`]
}

/** The answers of older and newer kernels to the removal of what is not there. */
const ABSENT =
  /Cannot assign requested address|address not found|Cannot find device|does not exist/i

/** `ip addr del` of addresses that are not there, or on an interface that is gone. */
function isAbsent(failure: string): boolean {
  return failure.split('; ').every((part) => ABSENT.test(part))
}
