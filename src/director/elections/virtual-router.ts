import type { VirtualRouterConfig } from '../../config/model.js'
import { systemClock } from '../../linux/clock.js'
import { forwardsIpv6 } from '../../linux/forwarding.js'
import { readInterface, readInterfaces, type NetworkInterface } from '../../linux/interface.js'
import { IpAddressManager } from '../../linux/ip-address.js'
import type { AddressChange, NetworkMonitor } from '../../linux/network-monitor.js'
import { promoteSecondaries } from '../../linux/promote-secondaries.js'
import { openVrrpSocket, type VrrpSocket } from '../../linux/vrrp-socket.js'
import type { Order, Reason, State } from '../../vrrp/model.js'
import type { HeardAdvertisement } from '../../vrrp/ports.js'
import { Speaker } from '../../vrrp/speaker.js'
import { AddressGuard } from '../addresses/address-guard.js'
import type { Effect, RouterConditions } from './conditions.js'
import { demandsOf, type Demands } from './demands.js'
import { Faults } from './faults.js'
import type { FlightRecorder } from '../recording/flight-recorder.js'
import type { LastHeard } from '../orders/leaving-router.js'
import type { Log } from '../log.js'
import {
  changesOf,
  describeRouter,
  expectedOf,
  otherInterfaces,
  primaryAddressOf
} from './router-model.js'
import type { RouterStory } from '../status/router-story.js'
import { effectSentence, type RouterRules } from '../status/sentences.js'
import { ownEffects } from '../status/standing-effects.js'
import type { RouterFacts } from '../status/status-router.js'
import { becauseOf, type Sibling } from '../status/why.js'
import { SpeakerLog } from './speaker-log.js'

/** What a virtual router is given besides its configuration. */
export interface RouterPorts {
  readonly log: Log
  readonly monitor: NetworkMonitor
  /** It changes only together with the other members of its sync group, which orders it to. */
  readonly isGrouped: boolean
  /** The addresses of all virtual routers, by the configuration before a reload and by that after it. */
  readonly virtualAddresses: readonly string[]
  /** Whether packets of other virtual routers are told of. */
  readonly tellsForeign: boolean
  readonly recorder?: FlightRecorder
  /** It goes on when the interface was gone and is back. */
  readonly story: RouterStory
  /** The priority that an administrator wants in the place of the configured one. */
  priorityWish(): number | null
  /** The other members of its sync groups. */
  siblingsOf(name: string): readonly Sibling[]
  /** A step that changed the state or has something to tell. */
  stepped(router: RunningRouter, reason: Reason, from: State): void
  /** Its effective priority is another one now. */
  priorityChanged(router: RunningRouter, priority: number): void
  /** Its own faults changed: the sync group has to decide. */
  faultsChanged(router: RunningRouter): void
  /** `serves` changed. */
  servesChanged(router: RunningRouter): void
  /** Its interface is gone, and its sockets with it; what is left to do is `stop`. */
  gone(router: RunningRouter): void
}

/**
 * One virtual router of this director with everything it needs from the system. More than 400 lines: all of
 * it meets here, what one part is told by another, and what goes over to a successor at a reload.
 */
export class RunningRouter {
  readonly config: VirtualRouterConfig
  readonly #ports: RouterPorts
  readonly #log: Log
  readonly #speakerLog: SpeakerLog
  readonly #interface: NetworkInterface
  /** The other interfaces that have an address of ours. */
  readonly #otherInterfaces: readonly NetworkInterface[]
  readonly #primaryAddress: string
  readonly #addresses: IpAddressManager
  readonly #guard: AddressGuard
  readonly #vrrpSocket: VrrpSocket
  readonly #speaker: Speaker
  readonly #rules: RouterRules
  readonly #faults = new Faults()
  readonly #unwatch: (() => void)[] = []
  #conditions: RouterConditions
  #recordedConditions = ''
  #canHold = true
  /** As the last `#apply` found them. */
  #serves = true
  #groupServes = true
  /** Somebody takes our addresses away again and again. */
  #isYielding = false
  #masterSince = -Infinity
  /** An administrator has asked to hand over, and the outcome is open. */
  #isLeaving = false
  #lastHeard: LastHeard | null = null
  /** What ended our last mastery was an advertisement of another master. */
  #hasSuccessor = false
  #isStarted = false
  #goneInterface: string | null = null
  #isSourceGone = false
  #isClosed = false

  /**
   * Opens the sockets and removes addresses that an earlier life left behind. Nothing is sent yet.
   *
   * @throws {TshaError} `TSHA_E_INTERFACE`, `TSHA_E_RAW_SOCKET`, `TSHA_E_PACKET_SOCKET`,
   * `TSHA_E_ADDRESS`; nothing is left open
   */
  static async open(config: VirtualRouterConfig, ports: RouterPorts): Promise<RunningRouter> {
    const router = await RunningRouter.#open(config, ports, (router, present) =>
      router.#addresses.clear(present)
    )
    return router
  }

  /**
   * Opens the sockets of a virtual router while the director runs, and changes nothing: the addresses may
   * be held by the one whose place it takes. What is left to do is `start` or `takeOver`.
   *
   * @throws {TshaError} as `open`
   */
  static prepare(config: VirtualRouterConfig, ports: RouterPorts): Promise<RunningRouter> {
    return RunningRouter.#open(config, ports, () => Promise.resolve())
  }

  static async #open(
    config: VirtualRouterConfig,
    ports: RouterPorts,
    clear: (router: RunningRouter, present: readonly NetworkInterface[]) => Promise<void>
  ): Promise<RunningRouter> {
    const found = await readInterface(config.interface)
    const others = await Promise.all(otherInterfaces(config).map(readInterface))
    const router = new RunningRouter(config, found, others, ports)
    try {
      await router.#promoteSecondaries()
      await clear(router, [found, ...others])
    } catch (error) {
      router.close()
      throw error
    }
    router.#watchInterfaces()
    await router.#lookForSource()
    return router
  }

  private constructor(
    config: VirtualRouterConfig,
    found: NetworkInterface,
    others: readonly NetworkInterface[],
    ports: RouterPorts
  ) {
    this.config = config
    this.#ports = ports
    const log = ports.log.child({ router: config.name, vrid: config.vrid })
    this.#log = log
    this.#speakerLog = new SpeakerLog(log, systemClock, ports.tellsForeign)
    this.#interface = found
    this.#otherInterfaces = others
    this.#primaryAddress = primaryAddressOf(config, found, ports.virtualAddresses)
    this.#conditions = { priority: config.priority, serviceUp: true, faults: [], effects: [] }
    const router = describeRouter(config, this.#primaryAddress, ports.isGrouped)
    this.#rules = router
    this.#addresses = new IpAddressManager(
      config.interface,
      [...config.addresses, ...config.excludedAddresses],
      config.addressLeaseMs,
      {
        failed: (message) => {
          log.error(message)
        },
        holdable: (canHold) => {
          this.#holdable(canHold)
        }
      }
    )
    this.#guard = new AddressGuard(config, [found, ...others], {
      clock: systemClock,
      log,
      addresses: this.#addresses,
      forwardsIpv6,
      yields: (isYielding) => {
        this.#isYielding = isYielding
        this.#apply()
      }
    })
    try {
      this.#vrrpSocket = openVrrpSocket(
        {
          family: config.family,
          interface: config.interface,
          interfaceIndex: found.index,
          group: config.unicast === null ? config.multicastGroup : null,
          source: this.#primaryAddress,
          expected: expectedOf(router),
          tellsForeign: ports.tellsForeign
        },
        (packet) => {
          this.#speaker.receive(packet)
        },
        (error) => {
          log.error(`vrrp socket: ${error.message}`)
        }
      )
    } catch (error) {
      this.#guard.close()
      throw error
    }
    this.#speaker = new Speaker(
      router,
      { priority: config.priority, serviceUp: true },
      {
        clock: systemClock,
        socket: this.#vrrpSocket,
        addresses: {
          add: () => this.#addresses.add(),
          remove: async () => {
            if (this.#hasSuccessor) await this.#guard.succeeded()
            await this.#addresses.remove()
          }
        },
        announcer: this.#guard.announcer,
        ...(ports.recorder ? { recorder: ports.recorder } : {}),
        observer: {
          stepped: (from, to, reason, heard) => {
            this.#stepped(from, to, reason, heard)
          },
          conditionsChanged: (from, to) => {
            this.#speakerLog.conditionsChanged(from, to, this.#effectSentences())
            if (this.#isStarted && from.priority !== to.priority) {
              ports.priorityChanged(this, to.priority)
            }
          },
          discarded: (reason, source) => {
            this.#speakerLog.discarded(reason, source)
          },
          accepted: (heard) => {
            this.#speakerLog.accepted(heard)
            const at = systemClock.instant()
            ports.story.heard(heard, at)
            const { source, priority } = heard
            this.#lastHeard = { source, priority, at: at.monotonic }
            this.#guard.heard(heard.priority)
          }
        }
      }
    )
  }

  get name(): string {
    return this.config.name
  }

  /** Its interface is gone; another one is opened in its place when that is back. */
  get isGone(): boolean {
    return this.#goneInterface !== null
  }

  get state(): State {
    return this.#speaker.state
  }

  /** It is in the election, and nothing has kept it out so far. */
  get isTakingPart(): boolean {
    return this.state.name === 'backup' || this.state.name === 'master'
  }

  /** Null when no other director was ever heard. */
  get lastHeard(): LastHeard | null {
    return this.#lastHeard
  }

  /** Whether it is a master that waits for the partner to take over. */
  get isHandingOver(): boolean {
    const { state } = this
    return state.name === 'master' && state.handOver !== null
  }

  /** Resolves when the addresses are on the interface, or off it, as the state wants. */
  settled(): Promise<void> {
    return this.#speaker.settled()
  }

  /** Whether it has been master for at least an interval: what it replaced had time to give way. */
  get isSettledMaster(): boolean {
    const since = systemClock.now() - this.#masterSince
    return this.state.name === 'master' && since >= this.config.advertIntervalMs
  }

  /** Whether anything but its sync group keeps it out of the election. */
  get hasFault(): boolean {
    return this.#faults.first !== null
  }

  /** Nothing has failed, but a first result is awaited, which keeps it out of the election. */
  get isAwaiting(): boolean {
    return this.#faults.areAwaited
  }

  /** Nothing of its own demands that the addresses are handed over. */
  get serves(): boolean {
    return this.#serves
  }

  /**
   * What is known of it at this moment.
   *
   * @param effects of what it follows, which are told in more detail than when they last changed
   */
  facts(effects: readonly Effect[] = this.#conditions.effects): RouterFacts {
    return {
      config: this.config,
      rules: this.#rules,
      state: this.state,
      isGone: this.#goneInterface !== null,
      effects: this.#effects(effects),
      statistics: this.#speaker.statistics,
      lastLate: this.#speaker.lastLate,
      story: this.#ports.story.story,
      siblings: this.#ports.siblingsOf(this.name)
    }
  }

  /** Takes part in the election from now on, unless its interface is gone already. */
  start(): void {
    if (this.#goneInterface !== null || this.#isClosed) return
    this.#log.info(
      {
        interface: this.config.interface,
        addresses: this.config.addresses.map((entry) => `${entry.address}/${entry.prefixLength}`),
        priority: this.state.priority
      },
      'virtual router starts'
    )
    this.#isStarted = true
    this.#speaker.start(this.#faults.first)
    this.#ports.faultsChanged(this)
  }

  /**
   * Takes the place of the same virtual router with another configuration, at once and without a
   * transition; `old` is closed.
   *
   * @param conditions what everything that is followed means by the new configuration
   * @param emptied as in `IpAddressManager.takeOver`
   */
  takeOver(old: RunningRouter, conditions: RouterConditions, emptied: () => Promise<void>): void {
    this.#conditions = conditions
    this.#masterSince = old.#masterSince
    this.#groupServes = old.#groupServes || !this.#ports.isGrouped
    this.#isYielding = old.#isYielding
    this.#isLeaving = old.#isLeaving
    this.#lastHeard = old.#lastHeard
    this.#guard.takeOver(old.#guard, old.state.name === 'master')
    this.#speaker.takeOver(
      old.#speaker,
      conditions.priority,
      changesOf(old.config, this.config),
      () => this.#addresses.takeOver(old.#addresses, emptied)
    )
    this.#isStarted = old.#isStarted
    old.#isStarted = false
    old.#release()
    if (this.#isStarted) this.#settle()
  }

  /** Brings the state in line with what is demanded of it now. */
  #settle(): void {
    this.#apply()
    const { first } = this.#faults
    if (first !== null) this.#speaker.setFault(first)
    else if (this.state.name === 'fault' && !this.#ports.isGrouped) this.#speaker.setFault(null)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** What everything that is followed means for us now. */
  setConditions(conditions: RouterConditions): void {
    this.#recordConditions(conditions)
    this.#conditions = conditions
    this.#apply()
  }

  #recordConditions({ priority, serviceUp, faults }: RouterConditions): void {
    const facts = { priority, service_up: serviceUp, faults: faults.map(({ what }) => what) }
    const text = JSON.stringify(facts)
    if (text === this.#recordedConditions) return
    this.#recordedConditions = text
    this.#ports.recorder?.note('conditions', this.name, facts)
  }

  /** Whether every member of its sync group serves. */
  setGroupServes(isServing: boolean): void {
    this.#groupServes = isServing
    this.#apply()
  }

  /**
   * Asks the partner to take over, where this is a master that makes before it breaks. It goes on as
   * it was if nobody does: the priority is another matter.
   */
  handOver(): void {
    const { state, config } = this
    if (state.name !== 'master' || state.handOver || config.handOver === 'keepalived') return
    // What could not serve was offered before, in vain: only a change begins a hand-over.
    this.#speaker.setConditions({ priority: state.priority, serviceUp: true })
    this.#isLeaving = true
    this.#apply()
  }

  /** What the sync group demands. */
  order(order: Order): void {
    this.#speaker.order(order)
  }

  /** Leaves the election and gives the addresses up; a second call does not wait for the partner. */
  async stop(): Promise<void> {
    await this.#speaker.stop()
    if (this.#isClosed) return
    this.#log.info(
      { ...this.#speaker.statistics, drops: this.#vrrpSocket.drops },
      'vrrp statistics'
    )
    this.close()
  }

  close(): void {
    if (this.#isClosed) return
    this.#release()
    this.#addresses.close()
    this.#guard.close()
  }

  /** Closes all but what holds and guards the addresses. */
  #release(): void {
    this.#isClosed = true
    this.#speakerLog.close()
    for (const unwatch of this.#unwatch) unwatch()
    this.#vrrpSocket.close()
  }

  /** Before the first address is removed, which might be the first one of others' network. */
  async #promoteSecondaries(): Promise<void> {
    if (!this.config.promotesSecondaries) return
    for (const { name } of [this.#interface, ...this.#otherInterfaces]) {
      const refusal = await promoteSecondaries(name)
      if (refusal === null) continue
      this.#log.warn({ interface: name }, `promote_secondaries cannot be set: ${refusal}`)
    }
  }

  /** The director's health hears of the links too, and later: the guard has to know first. */
  #watchInterfaces(): void {
    for (const found of [this.#interface, ...this.#otherInterfaces]) {
      const unwatch = this.#ports.monitor.watch(found, {
        linkChanged: (isUp) => {
          this.#guard.linkChanged(found.name, isUp)
        },
        addressChanged: (change) => {
          this.#addressChanged(change)
        },
        gone: () => {
          this.#gone(found.name)
        }
      })
      this.#unwatch.push(unwatch)
    }
  }

  /** Another one of its interfaces may follow before it is closed. */
  #gone(interfaceName: string): void {
    if (this.#goneInterface !== null) return
    this.#goneInterface = interfaceName
    this.#log.error({ interface: interfaceName }, 'the interface is gone')
    this.#apply()
    this.#ports.gone(this)
  }

  /** A source that the administrator has named may not be there yet; it may be on another interface. */
  async #lookForSource(): Promise<void> {
    const { sourceAddress } = this.config
    if (sourceAddress === null || this.#isSourceVirtual) return
    const all = await readInterfaces()
    const isThere = all.some(({ addresses }) =>
      addresses.some(({ address }) => address === sourceAddress)
    )
    if (!isThere) this.#sourceChanged(true)
  }

  #stepped(from: State, to: State, reason: Reason, heard: HeardAdvertisement | null): void {
    if (from.name !== 'master' && to.name === 'master') this.#masterSince = systemClock.now()
    if (from.name === 'master' && to.name !== 'master') this.#hasSuccessor = heard !== null
    this.#ports.story.stepped(from, to, reason, heard, this.#effects(), systemClock.instant())
    this.#speakerLog.stepped(from, to, reason, heard, from.name === to.name ? [] : this.#because())
    // First: who hands over takes its sync group along before a fault can follow.
    this.#ports.stepped(this, reason, from)
    this.#guard.mastery(this.state.name === 'master')
    if (!this.isHandingOver) this.#isLeaving = false
    // A fault that waited for the end of a hand-over, or the end of one that was asked for.
    if (this.state.name !== 'initialize') this.#apply()
  }

  #addressChanged(change: AddressChange): void {
    const { kind, address, interface: on } = change
    this.#ports.recorder?.note('address', this.name, { change: kind, address, interface: on })
    if (change.kind === 'added') this.#guard.added(change)
    else this.#guard.removed(change)
    // Without the address that our advertisements come from, nobody could answer to them.
    if (change.interface !== this.config.interface || change.address !== this.#primaryAddress)
      return
    if (!this.#isSourceVirtual) this.#sourceChanged(change.kind === 'removed')
  }

  #sourceChanged(isGone: boolean): void {
    this.#log[isGone ? 'error' : 'info'](
      { address: this.#primaryAddress },
      `the source address of our advertisements is ${isGone ? 'not there' : 'there'}`
    )
    this.#isSourceGone = isGone
    this.#setFaults({ 'source-address': isGone })
  }

  /** An owner may advertise from the address that it owns, which comes and goes with its mastery. */
  get #isSourceVirtual(): boolean {
    const all = [...this.config.addresses, ...this.config.excludedAddresses]
    return all.some(({ address }) => address === this.#primaryAddress)
  }

  /** A master that has no address serves nobody: it leaves the election as if its link were down. */
  #holdable(canHold: boolean): void {
    if (canHold) this.#log.warn('addresses can be changed again: taking part in the election')
    else this.#log.error('the addresses cannot be held: leaving the election')
    this.#canHold = canHold
    this.#apply()
  }

  /** Tells the state machine of our conditions; a hand-over begins before its fault is decided on. */
  #apply(): void {
    this.#setServes(this.#demands().serves)
    const serviceUp = this.#serves && this.#groupServes
    this.#speaker.setConditions({ priority: this.#conditions.priority, serviceUp })
    this.#setFaults(this.#demands().faults)
  }

  #demands(): Demands {
    return demandsOf(this.config, this.#conditions, {
      canHold: this.#canHold,
      isYielding: this.#isYielding,
      isGone: this.#goneInterface !== null,
      isHandingOver: this.isHandingOver,
      isLeaving: this.#isLeaving
    })
  }

  /** Everything that changes our priority or keeps us out, by itself or by what we follow. */
  #effects(followed: readonly Effect[] = this.#conditions.effects): readonly Effect[] {
    const { state } = this
    return [
      ...ownEffects({
        cannotHold: !this.#canHold,
        isYielding: this.#isYielding,
        makesBeforeBreak: this.#rules.makesBeforeBreak,
        goneInterface: this.#goneInterface,
        missingSource: this.#isSourceGone ? this.#primaryAddress : null,
        groupFails: this.#serves && !this.#groupServes,
        groupHasFault: state.name === 'fault' && this.#faults.first === null
      }),
      ...followed
    ]
  }

  #effectSentences(): readonly string[] {
    const now = systemClock.instant()
    return this.#effects().map((effect) => effectSentence(effect, true, now))
  }

  #because(): readonly string[] {
    return becauseOf({
      ...this.facts(),
      basePriority: this.#ports.priorityWish() ?? this.config.priority,
      now: systemClock.instant()
    })
  }

  #setServes(serves: boolean): void {
    if (serves === this.#serves) return
    this.#serves = serves
    this.#ports.servesChanged(this)
  }

  #setFaults(found: Parameters<Faults['set']>[0]): void {
    const before = this.#faults.first
    if (!this.#faults.set(found) || !this.#isStarted) return
    const { first } = this.#faults
    this.#ports.recorder?.note('faults', this.name, { first, found })
    // For a member of a sync group only the group can tell that all faults are over.
    if (first !== before && (first !== null || !this.#ports.isGrouped)) {
      this.#speaker.setFault(first)
    }
    this.#ports.faultsChanged(this)
  }
}
