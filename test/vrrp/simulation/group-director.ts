import type { Notify } from '../../../src/config/model.js'
import { RunningGroup, type DrivenMember } from '../../../src/director/elections/sync-group.js'
import type { Event, FaultCause, Reason, VirtualRouter } from '../../../src/vrrp/model.js'
import type { Milliseconds } from '../../../src/vrrp/timing.js'
import { newHost, take, type Host, type Taken } from './host.js'
import type { Machine } from './machine.js'

/** What a director of sync groups asks of the world around it. */
export interface GroupWorld {
  readonly machine: Machine
  now(): Milliseconds
  /** A virtual router took a step; its packets have to be sent and its timer set. */
  stepped(index: number, before: Host, event: Event, taken: Taken): void
}

const NO_NOTIFY: Notify = {
  master: null,
  backup: null,
  fault: null,
  stop: null,
  deleted: null,
  any: null,
  masterRxLowerPriority: null
}

/**
 * One director with virtual routers in sync groups. The groups are those that ship; what is between
 * them and the state machines is done as `Elections`, `RunningRouter` and `Speaker` do it.
 */
export class GroupDirector {
  readonly hosts: Host[]
  readonly #faults: readonly Set<FaultCause>[]
  readonly #groups: readonly RunningGroup[]
  readonly #world: GroupWorld
  #isStarted = false
  #isStopping = false

  /** @param groups the indexes of the members of each */
  constructor(
    routers: readonly VirtualRouter[],
    priorities: readonly number[],
    groups: readonly (readonly number[])[],
    world: GroupWorld
  ) {
    this.#world = world
    this.hosts = routers.map((router, i) => newHost(router, priorities[i] ?? 100, Infinity))
    this.#faults = routers.map(() => new Set<FaultCause>())
    this.#groups = groups.map(
      (members) =>
        new RunningGroup(
          {
            name: members.join(),
            members: members.map(String),
            tracksWeights: false,
            track: [],
            notify: NO_NOTIFY
          },
          () => members.map((i) => this.#memberOf(i)),
          () => undefined
        )
    )
  }

  host(i: number): Host {
    const host = this.hosts[i]
    if (!host) throw new Error(`no virtual router ${i}`)
    return host
  }

  hasFault(i: number): boolean {
    return (this.#faults[i]?.size ?? 0) > 0
  }

  start(): void {
    this.#isStarted = false
    this.#isStopping = false
    this.hosts.forEach((host, i) => {
      const [fault] = this.#faults[i] ?? []
      this.hosts[i] = { ...host, process: 'running' }
      this.happen(i, fault ? { kind: 'fault', cause: fault } : { kind: 'startup' })
    })
    this.#isStarted = true
    for (const group of this.#groups) group.stepped(null, null)
  }

  stop(): void {
    this.#isStopping = true
    for (const i of this.hosts.keys()) this.happen(i, { kind: 'shutdown' })
  }

  /** A fault begins or ends; for a member only the group can tell that all faults are over. */
  setFault(i: number, cause: FaultCause, isThere: boolean): void {
    const faults = this.#faults[i]
    if (!faults || faults.has(cause) === isThere) return
    if (isThere) faults.add(cause)
    else faults.delete(cause)
    if (this.host(i).process !== 'running') return
    if (isThere) this.happen(i, { kind: 'fault', cause })
    this.#moveGroups(i, null)
  }

  happen(i: number, event: Event): void {
    const before = this.host(i)
    const taken = take(this.#world.machine, before, event, this.#world.now())
    this.hosts[i] = taken.host
    this.#world.stepped(i, before, event, taken)
    if (taken.step.reason !== null) this.#moveGroups(i, taken.step.reason)
  }

  #moveGroups(i: number, reason: Reason | null): void {
    if (!this.#isStarted || this.#isStopping) return
    for (const group of this.#groups)
      if (group.config.members.includes(String(i))) group.stepped(String(i), reason)
  }

  #memberOf(i: number): DrivenMember {
    const { state } = this.host(i)
    return {
      name: String(i),
      state,
      hasFault: this.hasFault(i),
      isAwaiting: false,
      // No service of a member fails here.
      serves: true,
      setGroupServes: () => undefined,
      order: (order) => {
        this.happen(i, order)
      }
    }
  }
}
