import type { Discard } from './discards.js'
import type { VirtualRouter } from './model.js'
import { receive } from './receive.js'
import { ReplayMemory } from './stamp.js'
import { summarize, type PacketSummary } from './summary.js'
import type { Milliseconds } from './timing.js'

/** Senders that are remembered for each VRID; the one that was silent longest is forgotten. */
const MOST_SENDERS = 16
/** Warnings that are told once; after so many no more are. */
const MOST_WARNINGS = 256

/** What became of a packet. */
export type Hearing =
  /** Our virtual router accepts it. */
  | { readonly kind: 'accepted'; readonly router: string; readonly sameAddresses: boolean }
  /** It has the VRID of our virtual router, which discards it. */
  | { readonly kind: 'discarded'; readonly router: string; readonly reason: Discard }
  /** None of our virtual routers has its VRID. */
  | { readonly kind: 'foreign' }
  /** There is no configuration to compare it with; it is in order. */
  | { readonly kind: 'valid' }
  /** There is no configuration, and no router would accept it. */
  | { readonly kind: 'invalid'; readonly reason: Discard }

/** A packet that was heard. */
export interface Heard {
  readonly summary: PacketSummary
  /** Since the last one of the same sender and VRID; null for the first. */
  readonly age: Milliseconds | null
  readonly hearing: Hearing
  /** What an administrator should know; each is told once. */
  readonly warnings: readonly Warning[]
}

export type Warning =
  /** Another sender speaks for the same VRID, with other parameters than this one. */
  | { readonly kind: 'conflict'; readonly other: string; readonly differences: readonly string[] }
  /** A sender uses a VRID of ours, but our virtual router discards what it says. */
  | { readonly kind: 'intruder'; readonly router: string; readonly reason: Discard }

interface Sender {
  readonly at: Milliseconds
  readonly summary: PacketSummary
}

/** Everything that speaks VRRP on a segment, as a listener sees it. Bounded, whatever is sent. */
export class Segment {
  readonly #routers: readonly { readonly router: VirtualRouter; readonly replay: ReplayMemory }[]
  /** By family and VRID, then by source address. */
  readonly #senders = new Map<string, Map<string, Sender>>()
  readonly #told = new Set<string>()

  /** @param routers of the configuration; none judges packets by themselves */
  constructor(routers: readonly VirtualRouter[]) {
    this.#routers = routers.map((router) => ({
      router,
      replay: new ReplayMemory(router.destination)
    }))
  }

  /**
   * @param now monotonic
   * @param wallTime since 1970
   * @returns null when the packet is no VRRP
   */
  hear(packet: Uint8Array, now: Milliseconds, wallTime: Milliseconds): Heard | null {
    const summary = summarize(packet)
    if (summary === null) return null
    const hearing = this.#judge(summary, packet, wallTime)
    const { source } = summary
    const senders = this.#sendersOf(summary)
    const last = senders.get(source)
    const warnings = this.#warnings(summary, hearing, senders)
    senders.delete(source)
    if (senders.size === MOST_SENDERS) forgetOldest(senders)
    senders.set(source, { at: now, summary })
    return { summary, age: last ? now - last.at : null, hearing, warnings }
  }

  #sendersOf({ family, vrid }: PacketSummary): Map<string, Sender> {
    const name = `${family} ${vrid}`
    const found = this.#senders.get(name) ?? new Map<string, Sender>()
    this.#senders.set(name, found)
    return found
  }

  #judge(summary: PacketSummary, packet: Uint8Array, wallTime: Milliseconds): Hearing {
    if (this.#routers.length === 0) return judgeAlone(summary)
    const { vrid, family } = summary
    const ours = this.#routers.find(
      ({ router }) => router.vrid === vrid && router.family === family
    )
    if (!ours) return { kind: 'foreign' }
    const { router, replay } = ours
    const verdict = receive(router, packet, replay, wallTime)
    return verdict.ok
      ? { kind: 'accepted', router: router.name, sameAddresses: verdict.sameAddresses }
      : { kind: 'discarded', router: router.name, reason: verdict.reason }
  }

  #warnings(
    summary: PacketSummary,
    hearing: Hearing,
    senders: ReadonlyMap<string, Sender>
  ): readonly Warning[] {
    const { source, vrid } = summary
    const warnings: Warning[] = []
    if (hearing.kind === 'discarded' && hearing.reason !== 'own-address') {
      const { router, reason } = hearing
      if (this.#isNew(`${router} ${reason} ${source}`)) {
        warnings.push({ kind: 'intruder', router, reason })
      }
    }
    for (const [other, { summary: theirs }] of senders) {
      if (other === source) continue
      const differences = differencesOf(summary, theirs)
      const pair = [other, source].sort().join(' ')
      if (differences.length > 0 && this.#isNew(`${vrid} ${pair} ${differences.join()}`)) {
        warnings.push({ kind: 'conflict', other, differences })
      }
    }
    return warnings
  }

  #isNew(warning: string): boolean {
    if (this.#told.has(warning) || this.#told.size >= MOST_WARNINGS) return false
    this.#told.add(warning)
    return true
  }
}

function forgetOldest(senders: Map<string, Sender>): void {
  for (const source of senders.keys()) {
    senders.delete(source)
    return
  }
}

/** What can be said of a packet without knowing for whom it is. */
function judgeAlone({ checksum, family, isWhole, type, version }: PacketSummary): Hearing {
  const invalid = (reason: Discard): Hearing => ({ kind: 'invalid', reason })
  if (!isWhole) return invalid('length')
  if (version !== 2 && version !== 3) return invalid('version')
  if (type !== 1) return invalid('type')
  const takesPlain = family === 'ipv4'
  const takesPseudoHeader = version === 3 || family === 'ipv6'
  const isRight = (takesPlain && checksum.plain) || (takesPseudoHeader && checksum.pseudoHeader)
  return isRight ? { kind: 'valid' } : invalid('checksum')
}

/** The parameters in which the directors of one virtual router must agree. */
function differencesOf(a: PacketSummary, b: PacketSummary): readonly string[] {
  const authentication = ({ authType, hmacKeyId }: PacketSummary): string =>
    `${String(authType)} ${hmacKeyId === null ? 'none' : 'hmac'}`
  const addresses = (summary: PacketSummary): string => [...summary.addresses].sort().join()
  return [
    ...(a.version === b.version ? [] : ['version']),
    ...(a.adverInterval === b.adverInterval ? [] : ['interval']),
    ...(authentication(a) === authentication(b) ? [] : ['authentication']),
    ...(addresses(a) === addresses(b) ? [] : ['addresses'])
  ]
}
