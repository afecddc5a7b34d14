import { observe, type CheckStatus, type Hysteresis } from '../../health/status.js'
import {
  applyPeerEvent,
  type FailureRules,
  type PeerStatus
} from '../../proxy/upstream/peer-status.js'
import type { Codec, Json } from '../../vrrp/json-codec.js'
import { step as shippedStep } from '../../vrrp/machine.js'
import type { ElectionSettings, State } from '../../vrrp/model.js'
import { actionCodec, orderCodec, stateCodec } from '../../vrrp/recording.js'
import { groupOrders, siblingOrders } from '../../vrrp/sync-group.js'
import {
  checkStatusCodec,
  peerStatusCodec,
  type FileProblem,
  type GroupEntry,
  type Placed,
  type StepEntry
} from './recording.js'

/** One whose decisions were made again. */
export interface ReplayedSubject {
  readonly kind: 'virtual router' | 'sync group' | 'peer' | 'check'
  readonly name: string
  /** Decisions that came out as they were recorded. */
  readonly agreed: number
  readonly gaps: number
}

/** The first decision that came out differently. */
export interface Difference {
  readonly line: number
  readonly kind: ReplayedSubject['kind']
  readonly name: string
  /** As recorded, in JSON. */
  readonly expected: string
  readonly found: string
}

export interface Replay {
  readonly subjects: readonly ReplayedSubject[]
  readonly difference: Difference | null
  /** Lines that nothing before them prepares. */
  readonly problems: readonly FileProblem[]
}

/** More lines that nothing prepares are not told. */
const MOST_PROBLEMS = 20

interface Counted {
  readonly kind: ReplayedSubject['kind']
  readonly name: string
  agreed: number
  gaps: number
}

/**
 * Makes every recorded decision again, from the recorded inputs, up to the first one that comes out
 * differently.
 *
 * @param step the state machine; another one is given by tests
 */
export function replay(entries: readonly Placed[], step = shippedStep): Replay {
  const replayer = new Replayer(step)
  for (const placed of entries) {
    replayer.take(placed)
    if (replayer.difference !== null) break
  }
  return replayer
}

class Replayer implements Replay {
  difference: Difference | null = null
  readonly problems: FileProblem[] = []
  readonly #step: typeof shippedStep
  readonly #counted = new Map<string, Counted>()
  readonly #routers = new Map<string, { settings: ElectionSettings; state: State }>()
  readonly #peers = new Map<string, { rules: FailureRules; status: PeerStatus }>()
  readonly #checks = new Map<string, { rules: Hysteresis; status: CheckStatus }>()

  constructor(step: typeof shippedStep) {
    this.#step = step
  }

  get subjects(): readonly ReplayedSubject[] {
    return [...this.#counted.values()]
  }

  take({ line, entry }: Placed): void {
    switch (entry.type) {
      case 'virtual-router': {
        const { settings, state, begins } = entry
        const known = this.#routers.get(settings.name)
        const counted = this.#count('virtual router', settings.name)
        if (known && !begins) this.#goesOn(line, counted, stateCodec, state, known.state)
        this.#routers.set(settings.name, { settings, state })
        return
      }
      case 'step':
        this.#takeStep(line, entry)
        return
      case 'sync-group':
        this.#takeGroup(line, entry)
        return
      case 'peer': {
        const { peer, rules, status, begins } = entry
        const known = this.#peers.get(peer)
        const counted = this.#count('peer', peer)
        if (known && !begins) this.#goesOn(line, counted, peerStatusCodec, status, known.status)
        this.#peers.set(peer, { rules, status })
        return
      }
      case 'peer-event': {
        const known = this.#peers.get(entry.peer)
        if (!known) {
          this.#unprepared(line, 'peer', entry.peer)
          return
        }
        const status = applyPeerEvent(known.status, known.rules, entry.event)
        const counted = this.#count('peer', entry.peer)
        this.#agree(
          line,
          counted,
          peerStatusCodec.encode(entry.status),
          peerStatusCodec.encode(status)
        )
        this.#peers.set(entry.peer, { rules: known.rules, status })
        return
      }
      case 'check': {
        const { check, rules, status, begins } = entry
        const known = this.#checks.get(check)
        const counted = this.#count('check', check)
        if (known && !begins) this.#goesOn(line, counted, checkStatusCodec, status, known.status)
        this.#checks.set(check, { rules, status })
        return
      }
      case 'check-result': {
        const known = this.#checks.get(entry.check)
        if (!known) {
          this.#unprepared(line, 'check', entry.check)
          return
        }
        const status = observe(known.status, entry.passed, known.rules)
        const counted = this.#count('check', entry.check)
        this.#agree(
          line,
          counted,
          checkStatusCodec.encode(entry.status),
          checkStatusCodec.encode(status)
        )
        this.#checks.set(entry.check, { rules: known.rules, status })
        return
      }
      case 'gap':
        this.#forget(entry.subject)
        return
      case 'header':
      case 'segment':
      case 'gap-end':
      case 'note':
    }
  }

  #takeStep(line: number, { router, at, event, ...recorded }: StepEntry): void {
    const known = this.#routers.get(router)
    if (!known) {
      this.#unprepared(line, 'virtual router', router)
      return
    }
    const { state, reason, actions } = this.#step(known.settings, known.state, event, at)
    this.#agree(
      line,
      this.#count('virtual router', router),
      stepJson(recorded),
      stepJson({ state, reason, actions })
    )
    this.#routers.set(router, { settings: known.settings, state })
  }

  #takeGroup(line: number, { group, stepped, reason, members, orders }: GroupEntry): void {
    const found = stepped === null ? groupOrders(members) : siblingOrders(members, stepped, reason)
    const json = (all: typeof orders): Json => all.map((order) => orderCodec.encode(order))
    this.#agree(line, this.#count('sync group', group), json(orders), json(found))
  }

  /** What a recording says in between must be what the decisions before it have led to. */
  #goesOn<Value>(
    line: number,
    counted: Counted,
    codec: Codec<Value>,
    expected: Value,
    found: Value
  ): void {
    this.#compare(line, counted, codec.encode(expected), codec.encode(found))
  }

  #agree(line: number, counted: Counted, expected: Json, found: Json): void {
    if (this.#compare(line, counted, expected, found)) counted.agreed += 1
  }

  #compare(line: number, { kind, name }: Counted, expected: Json, found: Json): boolean {
    const texts = { expected: JSON.stringify(expected), found: JSON.stringify(found) }
    if (texts.expected === texts.found) return true
    this.difference ??= { line, kind, name, ...texts }
    return false
  }

  /** What comes to it in a gap is not known: it begins anew after that. */
  #forget(subject: string): void {
    for (const [kind, all] of [
      ['virtual router', this.#routers],
      ['peer', this.#peers],
      ['check', this.#checks]
    ] as const) {
      if (!subject.startsWith(`${kind} `)) continue
      const name = subject.slice(kind.length + 1)
      all.delete(name)
      this.#count(kind, name).gaps += 1
    }
  }

  #count(kind: Counted['kind'], name: string): Counted {
    const key = `${kind} ${name}`
    const known = this.#counted.get(key)
    if (known) return known
    const counted: Counted = { kind, name, agreed: 0, gaps: 0 }
    this.#counted.set(key, counted)
    return counted
  }

  #unprepared(line: number, kind: string, name: string): void {
    if (this.problems.length < MOST_PROBLEMS)
      this.problems.push({
        line,
        message: `the state of ${kind} ${name} before it is not recorded`
      })
  }
}

function stepJson({
  state,
  reason,
  actions
}: Pick<StepEntry, 'state' | 'reason' | 'actions'>): Json {
  return {
    state: stateCodec.encode(state),
    reason,
    actions: actions.map((action) => actionCodec.encode(action))
  }
}
