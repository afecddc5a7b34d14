import { canonicalAddress } from '../../vrrp/wire/address.js'
import {
  FRESH_CARE,
  nextCareDeadline,
  stepCare,
  type CareAction,
  type CareEvent,
  type CareSetting,
  type CareState
} from './address-care-rules.js'
import { OncePerPeriod } from '../../proxy/once-per-period.js'
import type { Log } from '../log.js'
import { RuleDriver, type RuleClock } from './rule-driver.js'

/** How often it is told that addresses were put back. */
const TELL_AGAIN_MS = 10_000

/** An address on an interface; which ones are cared for is given in this form. */
export interface PlacedAddress {
  readonly address: string
  readonly prefixLength: number
  readonly interface: string
}

/** What the care uses of the director. */
export interface CarePorts {
  readonly clock: RuleClock
  /** Until when the kernel keeps the addresses without another renewal; Infinity for ever. */
  heldUntil(): number
  /** Adds the addresses that are missing. Resolves when that is done; never rejects. */
  putBack(): Promise<void>
  /** The addresses are there again: neighbours may have noticed that they were not. */
  announce(): void
  /** Leave the election (true), or take part in it again. */
  yields(isYielding: boolean): void
  /** The service that manages an interface, for the log. */
  findManager(interfaceName: string): Promise<string | null>
}

/**
 * Cares that the virtual addresses stay where the election has put them: what somebody else removes is
 * put back once, and who removes it again makes us leave the election for a while.
 */
export class AddressCare {
  readonly #places: ReadonlyMap<string, PlacedAddress>
  readonly #ports: CarePorts
  readonly #log: Log
  readonly #driver: RuleDriver<CareState, CareEvent, CareAction>
  readonly #downInterfaces = new Set<string>()
  #isPuttingBack = false
  /** Asked to be put back, over all. */
  #removals = 0
  /** Put back and not told yet. */
  readonly #missing = new Set<string>()
  readonly #telling = new OncePerPeriod(TELL_AGAIN_MS)

  /** @param addresses those that are tracked: `no_track` ones are left out */
  constructor(
    addresses: readonly PlacedAddress[],
    setting: CareSetting,
    ports: CarePorts,
    log: Log
  ) {
    this.#places = new Map(addresses.map((place) => [keyOf(place), place]))
    this.#ports = ports
    this.#log = log
    this.#driver = new RuleDriver(
      {
        fresh: FRESH_CARE,
        timer: { kind: 'timer' },
        step: (state, event, now) => stepCare(setting, state, event, now),
        nextDeadline: nextCareDeadline
      },
      ports.clock,
      (action) => {
        this.#perform(action)
      }
    )
  }

  /** Goes on where `old` is, which cares for other addresses of the same virtual router. */
  takeOver(old: AddressCare): void {
    const { state } = old.#driver
    old.close()
    const ours = (keys: ReadonlySet<string>): ReadonlySet<string> =>
      new Set([...keys].filter((key) => this.#places.has(key)))
    for (const name of old.#downInterfaces) this.#downInterfaces.add(name)
    this.#driver.takeOver({
      ...state,
      present: ours(state.present),
      foreign: ours(state.foreign),
      putBackAt: new Map([...state.putBackAt].filter(([key]) => this.#places.has(key)))
    })
  }

  /** We became master, or are not any more. */
  mastery(isMaster: boolean): void {
    this.#driver.feed({ kind: 'mastery', isMaster })
  }

  /** Another director advertised itself with a priority above 0. */
  heard(): void {
    this.#driver.feed({ kind: 'heard' })
  }

  /** The kernel says that an address is on an interface, for the first time or again. */
  added(place: PlacedAddress): void {
    const address = this.#find(place)
    if (address !== null) this.#driver.feed({ kind: 'added', address })
  }

  /** An interface without a link may lose its addresses (IPv6), and nobody else has removed them. */
  linkChanged(interfaceName: string, isUp: boolean): void {
    if (isUp) this.#downInterfaces.delete(interfaceName)
    else this.#downInterfaces.add(interfaceName)
  }

  /** The kernel says that an address is gone from an interface, whoever removed it. */
  removed(place: PlacedAddress): void {
    const address = this.#find(place)
    if (address === null || this.#downInterfaces.has(place.interface)) return
    const hasExpired = this.#ports.clock.now() >= this.#ports.heldUntil()
    this.#driver.feed({ kind: 'removed', address, hasExpired })
  }

  close(): void {
    this.#driver.close()
  }

  /** While we are master, the same address with another prefix length is another one. */
  #find(place: PlacedAddress): string | null {
    const key = keyOf(place)
    const ours = this.#places.get(key)
    const isOther = this.#driver.state.isMaster && ours?.prefixLength !== place.prefixLength
    return ours === undefined || isOther ? null : key
  }

  #perform(action: CareAction): void {
    switch (action.kind) {
      case 'put-back':
        this.#missing.add(action.address)
        void this.#putBack()
        return
      case 'yield':
        this.#ports.yields(true)
        this.#tellYield(action)
        return
      case 'return':
        this.#ports.yields(false)
        this.#log.warn({ why: action.why }, 'taking part in the election again')
        return
      case 'expired':
        this.#log.warn(this.#places.get(action.address), 'the lease of a virtual address ran out')
        return
      case 'foreign':
        this.#tell(
          action.address,
          { ...this.#places.get(action.address) },
          'somebody gave this machine a virtual address though it is not master: two machines may have it'
        )
        return
      case 'foreign-gone':
        this.#log.warn(
          this.#places.get(action.address),
          'the virtual address that somebody gave this machine is gone again'
        )
    }
  }

  #tellYield({ address, after, holdOff }: Extract<CareAction, { kind: 'yield' }>): void {
    if (address === null || after === null) {
      this.#log.warn({ holdOffMs: holdOff }, 'another master is heard: out of the election again')
      return
    }
    const place = this.#places.get(address)
    this.#tell(
      address,
      { ...place, removals: 2, withinMs: Math.round(after), holdOffMs: holdOff },
      'somebody removed a virtual address again: leaving the election, until the hold-off ends or no other master is heard'
    )
  }

  /** One at a time; what was removed meanwhile may need another. */
  async #putBack(): Promise<void> {
    this.#removals += 1
    if (this.#isPuttingBack) return
    this.#isPuttingBack = true
    const startedAt = this.#ports.clock.now()
    for (let done = 0; done !== this.#removals;) {
      done = this.#removals
      await this.#ports.putBack()
    }
    this.#isPuttingBack = false
    const { isMaster, aloneAt } = this.#driver.state
    if (isMaster && aloneAt === null) this.#ports.announce()
    this.#tellPutBack(startedAt)
  }

  /** Where nobody else can take over, an opponent may keep us busy: the log has a line in ten seconds. */
  #tellPutBack(startedAt: number): void {
    const now = this.#ports.clock.now()
    const times = this.#telling.happened(now)
    const missing = [...this.#missing]
    this.#missing.clear()
    if (times === 0) return
    const fields = { addresses: missing, times, tookMs: Math.round(now - startedAt) }
    this.#tell(missing[0], fields, 'somebody removed virtual addresses: put back')
  }

  /** An error about an address, with the service that is most likely behind it. */
  #tell(address: string | undefined, fields: object, message: string): void {
    const place = this.#places.get(address ?? '')
    if (!place) return
    void this.#ports
      .findManager(place.interface)
      .catch(() => null)
      .then((manager) => {
        const suspect = manager === null ? {} : { interfaceManagedBy: manager }
        this.#log.error({ ...fields, ...suspect }, message)
      })
  }
}

function keyOf({ address, interface: name }: PlacedAddress): string {
  return `${canonicalAddress(address)} on ${name}`
}
