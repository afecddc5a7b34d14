import type { Command, CommandResult } from '../../admin/model.js'
import type { SyncGroup, VirtualRouterConfig } from '../../config/model.js'
import { done, listed, refused, unknownName } from './command-results.js'
import { departure, type DepartingRouter, type LeavingElections } from './departure.js'
import type { LeavingRouter } from './leaving-router.js'
import { outcomeLine, prospect, whereItIs } from './router-lines.js'
import { withGroups, type RouterWishes } from './router-wishes.js'

const OWNER = 255

/** A virtual router that takes orders. */
export interface OrderedRouter extends DepartingRouter {
  /** Asks the partner to take over, where it is a master that makes before it breaks. */
  handOver(): void
}

/** The elections, as orders move them. */
export interface OrderedElections extends LeavingElections {
  readonly routers: readonly OrderedRouter[]
  /** To be called after each change of a wish. */
  applyConditions(): void
}

/** What orders for virtual routers need of the director. */
export interface RouterOrdersPorts {
  readonly configs: readonly VirtualRouterConfig[]
  readonly groups: readonly Pick<SyncGroup, 'name' | 'members'>[]
  readonly wishes: RouterWishes
  readonly elections: OrderedElections
  /** Has the proxy close connections of clients after their response, or keep them again. */
  closeKept(isOn: boolean): void
  /** Milliseconds of CLOCK_MONOTONIC. */
  now(): number
}

/** Orders for virtual routers: to step down, to take part again, and another priority. */
export class RouterOrders {
  readonly #ports: RouterOrdersPorts

  constructor(ports: RouterOrdersPorts) {
    this.#ports = ports
  }

  async stepDown({ router }: Extract<Command, { action: 'step-down' }>): Promise<CommandResult> {
    const names = this.#namesOf(router)
    if (names === null) return this.#unknown(router)
    const stuck = names.filter((name) => this.#cannotStepDown(name))
    if (stuck.length > 0) {
      return refused(
        'TSHA_E_CONFLICT',
        `${listed(stuck)}: an address owner (priority 255) cannot step down with hand_over: keepalived, ` +
          'where only priorities decide'
      )
    }
    const { wishes, elections } = this.#ports
    const already = names.filter((name) => wishes.of(name).isSteppedDown)
    const masters = names.filter((name) => this.#running(name)?.state.name === 'master')
    // A connection that is kept until the address has moved would break in the middle of a request.
    if (masters.length > 0) this.#ports.closeKept(true)
    const outcomes = await departure(masters, elections, () => {
      // First the offer: what it says of us is the priority that the partner knows.
      for (const name of names) this.#running(name)?.handOver()
      for (const name of names) wishes.set(name, { isSteppedDown: true })
      elections.applyConditions()
    })
    if (masters.length > 0) this.#ports.closeKept(false)
    const lines = names.flatMap((name) => {
      const running = this.#running(name)
      if (running === undefined) return []
      const outcome = outcomes.get(name)
      const line = outcome ? outcomeLine(running, outcome, this.#ports.now()) : notMaster(running)
      return already.includes(name) ? [`${name}: was stepped down already`, line] : [line]
    })
    return done([
      ...this.#togetherLines(names, router),
      ...lines,
      `${listed(names)}: stepped down until resume or a restart of tsha; master only while nobody else is`
    ])
  }

  resume({ router }: Extract<Command, { action: 'resume' }>): CommandResult {
    const names = this.#namesOf(router)
    if (names === null) return this.#unknown(router)
    const { wishes, elections } = this.#ports
    const steppedDown = names.filter((name) => wishes.of(name).isSteppedDown)
    for (const name of names) wishes.set(name, { isSteppedDown: false })
    elections.applyConditions()
    const lines = names.map((name) => {
      const running = this.#running(name)
      const { priority } = wishes.of(name)
      const kept = priority === null ? '' : `; priority ${priority} set by an administrator holds`
      const what = steppedDown.includes(name)
        ? 'takes part as configured again'
        : 'was not stepped down'
      return `${name}: ${what}: ${running ? prospect(running) : 'its interface is gone'}${kept}`
    })
    return done([...this.#togetherLines(names, router), ...lines])
  }

  priority({ router, priority }: Extract<Command, { action: 'priority' }>): CommandResult {
    const names = this.#namesOf(router)
    if (names === null) return this.#unknown(router)
    const owners = names.filter((name) => this.#configured(name) === OWNER)
    if (owners.length > 0) {
      return refused(
        'TSHA_E_CONFLICT',
        `${listed(owners)}: the priority of an address owner is 255 and cannot be changed (RFC 9568 §5.2.4); ` +
          'use step-down to have it stand back'
      )
    }
    const { wishes, elections } = this.#ports
    for (const name of names) wishes.set(name, { priority })
    elections.applyConditions()
    const lines = names.map((name) => {
      const configured = this.#configured(name)
      const effective = this.#running(name)?.state.priority ?? configured
      const base = priority ?? configured
      const what =
        priority === null
          ? `the configured priority ${configured} holds again`
          : `priority ${priority} in the place of the configured ${configured}, until another order or a restart of tsha`
      if (wishes.of(name).isSteppedDown) {
        return `${name}: ${what}; it is stepped down: ${effective} is effective until resume`
      }
      const checks = effective === base ? '' : `; with what it follows ${effective} is effective`
      return `${name}: ${what}${checks}`
    })
    return done([...this.#togetherLines(names, router), ...lines])
  }

  /** A virtual router and those that move with it, or all of them; null when there is none of that name. */
  #namesOf(router: string | null): readonly string[] | null {
    const all = this.#ports.configs.map(({ name }) => name)
    if (router === null) return all
    return all.includes(router) ? withGroups([router], this.#ports.groups, all) : null
  }

  #unknown(router: string | null): CommandResult {
    const all = this.#ports.configs.map(({ name }) => name)
    return unknownName('virtual router', router ?? '', all)
  }

  #running(name: string): OrderedRouter | undefined {
    return this.#ports.elections.routers.find((router) => router.name === name)
  }

  #cannotStepDown(name: string): boolean {
    const config = this.#ports.configs.find((each) => each.name === name)
    return config?.priority === OWNER && config.handOver === 'keepalived'
  }

  #configured(name: string): number {
    return this.#ports.configs.find((config) => config.name === name)?.priority ?? 0
  }

  #togetherLines(names: readonly string[], router: string | null): readonly string[] {
    if (router === null || names.length < 2) return []
    const groups = this.#ports.groups.filter(({ members }) =>
      members.some((member) => names.includes(member))
    )
    const title = groups.length === 1 ? 'sync group' : 'sync groups'
    return [`${listed(names)} move together: ${title} ${listed(groups.map(({ name }) => name))}`]
  }
}

function notMaster(router: LeavingRouter): string {
  const { name, state } = router
  if (state.name === 'initialize') return `${name}: takes no part in the election yet`
  if (state.name === 'fault') return `${name}: was not master: it is in fault (${state.cause})`
  return `${name}: was not master: ${whereItIs(router)}`
}
