import type { VirtualRouterConfig } from '../config/model.js'
import { TshaError } from '../errors.js'
import { systemClock } from '../linux/clock.js'
import { forwardsIpv6 } from '../linux/forwarding.js'
import { ownAddress, readInterface, type NetworkInterface } from '../linux/interface.js'
import { IpAddressManager } from '../linux/ip-address.js'
import { NetworkMonitor, type AddressChange } from '../linux/network-monitor.js'
import type { ExpectedAdvertisement } from '../linux/vrrp-filter.js'
import { openVrrpSocket, type VrrpSocket } from '../linux/vrrp-socket.js'
import type { Conditions, VirtualRouter } from '../vrrp/model.js'
import { Speaker } from '../vrrp/speaker.js'
import { AUTH_NONE, AUTH_PASS, encodePassword } from '../vrrp/wire/advertisement-v2.js'
import { AddressGuard } from './address-guard.js'
import type { Log } from './log.js'
import { SpeakerLog } from './speaker-log.js'

/** One virtual router of this director with everything it needs from the system. */
export class RunningRouter {
  readonly config: VirtualRouterConfig
  readonly #log: Log
  readonly #interface: NetworkInterface
  /** The other interfaces that have an address of ours. */
  readonly #otherInterfaces: readonly NetworkInterface[]
  readonly #addresses: IpAddressManager
  readonly #guard: AddressGuard
  readonly #vrrpSocket: VrrpSocket
  readonly #speaker: Speaker
  #monitor: NetworkMonitor | null = null
  #isLinkUp: boolean
  #canHoldAddresses = true
  /** Somebody takes our addresses away again and again. */
  #isYielding = false
  #conditions: Conditions
  #isClosed = false

  /**
   * Opens the sockets and removes addresses that an earlier life left behind. Nothing is sent yet.
   *
   * @throws {TshaError} `TSHA_E_INTERFACE`, `TSHA_E_RAW_SOCKET`, `TSHA_E_PACKET_SOCKET`,
   * `TSHA_E_ADDRESS`; nothing is left open
   */
  static async open(config: VirtualRouterConfig, log: Log): Promise<RunningRouter> {
    const found = await readInterface(config.interface)
    const others = await Promise.all(otherInterfaces(config).map(readInterface))
    const router = new RunningRouter(
      config,
      found,
      others,
      log.child({ router: config.name, vrid: config.vrid })
    )
    try {
      await router.#addresses.clear([found, ...others])
    } catch (error) {
      router.close()
      throw error
    }
    return router
  }

  private constructor(
    config: VirtualRouterConfig,
    found: NetworkInterface,
    others: readonly NetworkInterface[],
    log: Log
  ) {
    this.config = config
    this.#log = log
    this.#interface = found
    this.#otherInterfaces = others
    this.#conditions = { priority: config.priority, serviceUp: true }
    const router = describeRouter(config, found)
    this.#isLinkUp = found.isUp
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
        this.#yields(isYielding)
      }
    })
    try {
      this.#vrrpSocket = openVrrpSocket(
        {
          family: config.family,
          interface: config.interface,
          interfaceIndex: found.index,
          group: config.multicastGroup,
          source: router.primaryAddress,
          expected: expectedOf(router),
          tellsForeign: false
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
    const speakerLog = new SpeakerLog(log)
    this.#speaker = new Speaker(router, this.#conditions, {
      clock: systemClock,
      socket: this.#vrrpSocket,
      addresses: this.#addresses,
      announcer: this.#guard.announcer,
      observer: {
        stepped: (from, to, reason, heard) => {
          speakerLog.stepped(from, to, reason, heard)
          this.#guard.mastery(to.name === 'master')
        },
        conditionsChanged: (from, to) => {
          speakerLog.conditionsChanged(from, to)
        },
        discarded: (reason, source) => {
          speakerLog.discarded(reason, source)
        },
        accepted: (heard) => {
          speakerLog.accepted(heard)
          this.#guard.heard(heard.priority)
        }
      }
    })
  }

  /**
   * Takes part in the election from now on.
   *
   * @param onGone told when the interface is gone; what is left to do then is `stop`
   */
  start(onGone: () => void): void {
    const { interface: name, addresses } = this.config
    this.#monitor = new NetworkMonitor((message) => {
      this.#log.warn(message)
    })
    this.#monitor.watch(this.#interface, {
      linkChanged: (isUp) => {
        this.#log.warn({ interface: name, isUp }, 'link changed')
        this.#guard.linkChanged(name, isUp)
        this.#isLinkUp = isUp
        this.#applyLink()
      },
      addressChanged: (change) => {
        this.#addressChanged(change)
      },
      gone: () => {
        this.#log.error({ interface: name }, 'the interface is gone')
        onGone()
      }
    })
    for (const other of this.#otherInterfaces) {
      this.#monitor.watch(other, {
        linkChanged: (isUp) => {
          this.#log.warn({ interface: other.name, isUp }, 'link changed')
          this.#guard.linkChanged(other.name, isUp)
        },
        addressChanged: (change) => {
          this.#addressChanged(change)
        },
        gone: () => {
          this.#log.error({ interface: other.name }, 'an interface with virtual addresses is gone')
        }
      })
    }
    this.#log.info(
      {
        interface: name,
        addresses: addresses.map((entry) => `${entry.address}/${entry.prefixLength}`),
        priority: this.#speaker.state.priority
      },
      'virtual router starts'
    )
    this.#speaker.start(this.#interface.isUp)
  }

  setConditions(conditions: Conditions): void {
    this.#conditions = conditions
    this.#applyConditions()
  }

  #applyConditions(): void {
    const handsOver = this.#isYielding && this.#makesBeforeBreak
    const { priority, serviceUp } = this.#conditions
    this.#speaker.setConditions({ priority, serviceUp: serviceUp && !handsOver })
  }

  get #makesBeforeBreak(): boolean {
    return this.config.handOver === 'make-before-break'
  }

  #addressChanged(change: AddressChange): void {
    if (change.kind === 'added') this.#guard.added(change)
    else this.#guard.removed(change)
  }

  /** An address that somebody takes away is handed over if that can be done without a gap. */
  #yields(isYielding: boolean): void {
    this.#isYielding = isYielding
    if (this.#makesBeforeBreak) this.#applyConditions()
    else this.#applyLink()
  }

  /** A master that has no address serves nobody: it leaves the election as if its link were down. */
  #holdable(canHold: boolean): void {
    this.#canHoldAddresses = canHold
    if (canHold) this.#log.warn('addresses can be changed again: taking part in the election')
    else this.#log.error('the addresses cannot be held: leaving the election')
    this.#applyLink()
  }

  #applyLink(): void {
    const isOpposed = this.#isYielding && !this.#makesBeforeBreak
    this.#speaker.setLink(this.#isLinkUp && this.#canHoldAddresses && !isOpposed)
  }

  /** Leaves the election and gives the addresses up; a second call does not wait for the partner. */
  async stop(): Promise<void> {
    await this.#speaker.stop()
    this.close()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#monitor?.close()
    this.#addresses.close()
    this.#vrrpSocket.close()
    this.#guard.close()
  }
}

/** Names of the interfaces, besides its own, on which a virtual router has addresses. */
function otherInterfaces(config: VirtualRouterConfig): readonly string[] {
  const all = [...config.addresses, ...config.excludedAddresses]
  const names = new Set(all.map((entry) => entry.interface ?? config.interface))
  names.delete(config.interface)
  return [...names]
}

function describeRouter(config: VirtualRouterConfig, found: NetworkInterface): VirtualRouter {
  const addresses = config.addresses.map((entry) => entry.address)
  // A virtual address that was left behind must never become the source of our advertisements.
  const own = config.sourceAddress ?? ownAddress(found, config.family, addresses)
  if (own === null) {
    throw new TshaError(
      'TSHA_E_INTERFACE',
      `interface ${found.name} has no ${config.family === 'ipv4' ? 'IPv4' : 'IPv6 link-local'} address of its own; advertisements need one as their source`
    )
  }
  return {
    name: config.name,
    vrid: config.vrid,
    version: config.version,
    family: config.family,
    adverInterval: config.advertIntervalMs,
    downTimerAdverts: config.downTimerAdverts,
    primaryAddress: own,
    addresses,
    authentication:
      config.authentication?.type === 'pass'
        ? { type: 'pass', data: encodePassword(config.authentication.password) }
        : { type: 'none' },
    checksumPseudoHeader: config.checksumPseudoHeader,
    destination: { kind: 'multicast', group: config.multicastGroup },
    preempts: config.preempt,
    preemptDelay: config.preemptDelayMs,
    isOwner: config.priority === 255,
    startsAsMaster: config.initialState === 'master',
    answersLowerPriority: config.answersLowerPriority,
    yieldsWithAdvert: config.yieldsWithAdvert,
    announcements: {
      delay: config.announcements.delayMs,
      refresh: config.announcements.refreshMs,
      lowerPriorityDelay: config.announcements.lowerPriorityDelayMs
    },
    makesBeforeBreak: config.handOver === 'make-before-break',
    isGrouped: false
  }
}

/** What the kernel can check of an advertisement before it wakes the director. */
function expectedOf(router: VirtualRouter): ExpectedAdvertisement {
  const { authentication } = router
  return {
    family: router.family,
    vrid: router.vrid,
    version: router.version,
    destination: router.destination.kind === 'multicast' ? router.destination.group : null,
    sources: null,
    ttl: { min: 255, max: 255 },
    authType: authentication.type === 'pass' ? AUTH_PASS : AUTH_NONE,
    authData: authentication.type === 'pass' ? authentication.data : null,
    adverInt: router.adverInterval / 1000
  }
}
