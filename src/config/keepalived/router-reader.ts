import { familyOf } from '../addresses.js'
import type { Role } from '../model.js'
import { rawRoutersOf } from '../raw-router.js'
import { OWNER_PRIORITY } from '../resolve-routers.js'
import { elementsOf, memberOf } from '../source.js'
import { contributionOf } from '../weight-rules.js'
import type { OwnWeights } from './check-blocks.js'
import { applyDefaults } from './global-directives.js'
import type { Defaults } from './global-directives.js'
import type { MemberDefaults } from './group-directives.js'
import type { Statement } from './parser.js'
import { ROUTER_DIRECTIVES, newRouterDraft } from './router-directives.js'
import type { RouterDraft } from './router-directives.js'
import type { StatementReader } from './statement-reader.js'
import { trackDirectives } from './track-blocks.js'

/** keepalived's VRRP_PRIO_OWNER and VRRP_PRIO_DFL: the priority when none is given. */
const PRIORITY_OF_STATE: Readonly<Record<Role, number>> = { master: OWNER_PRIORITY, backup: 100 }

const REQUIRED = [
  ['interface', 'interface'],
  ['vrid', 'virtual_router_id'],
  ['addresses', 'virtual_ipaddress']
] as const

interface State {
  readonly state: Role
  readonly line: Statement
}

/** What instances get that do not say it themselves: from their group, else from `global_defs`. */
interface InstanceDefaults {
  readonly globals: Defaults
  readonly members: MemberDefaults
}

/** Reads `vrrp_instance` blocks. */
export class RouterReader {
  readonly #reader: StatementReader
  readonly #defaults: InstanceDefaults
  readonly #weights: OwnWeights
  readonly #states: State[] = []
  count = 0

  constructor(reader: StatementReader, defaults: InstanceDefaults, weights: OwnWeights) {
    this.#reader = reader
    this.#defaults = defaults
    this.#weights = weights
  }

  /** The one role that all `state` lines give. */
  get role(): Role | null {
    const [first, ...others] = new Set(this.#states.map(({ state }) => state))
    return first !== undefined && others.length === 0 ? first : null
  }

  /** Reports where `state` contradicts the role that the administrator has asked for. */
  checkRole(asked: Role | null): void {
    if (asked === null || this.role === asked || this.role === null) return
    for (const { line, state } of this.#states) {
      const message = `state ${state.toUpperCase()} contradicts --role ${asked}; use --role ${state}, or leave it out`
      this.#reader.problem('TSHA_E_ROLE', message, line.args[0]?.position ?? line.position)
    }
  }

  /** Adds the virtual router of one `vrrp_instance` to `into`. */
  read(statement: Statement, into: Record<string, unknown>): void {
    this.count++
    const reader = this.#reader
    const name = reader.name(statement, into)
    if (name === undefined) return
    const draft = newRouterDraft(name, reader)
    into[name] = draft.value
    reader.place(draft.path, statement)
    // A directive that is missing is reported by its own name, at the block.
    for (const [key, keyword] of REQUIRED) {
      reader.placeEntry([...draft.path, key], keyword, statement.position)
    }
    const directives = { ...ROUTER_DIRECTIVES, ...trackDirectives(this.#weights) }
    reader.block(statement, 'vrrp_instance', directives, draft)
    this.#finish(name, statement, draft)
  }

  #finish(name: string, statement: Statement, draft: RouterDraft): void {
    const { value } = draft
    const state = this.#state(draft)
    if (value['priority'] === undefined && !this.#reader.has(statement, 'priority')) {
      this.#defaultPriority(name, statement, state, draft)
    }
    const [router] = rawRoutersOf({ virtual_routers: { [name]: value } })
    const family = router?.family ?? 'ipv4'
    const ofGroup = this.#defaults.members.get(name)
    if (draft.get('notify_priority_changes') === undefined) {
      draft.assign('notify_priority_changes', ofGroup)
    }
    applyDefaults(this.#defaults.globals, draft, family, this.#reader)
    this.#clearOwnerRule(name, draft)
    this.#checkAuthentication(name, statement)
    this.#checkNativeIpv6(draft)
    this.#unicast(name, draft)
    this.#clearPreemption(name, state, draft)
    if (state === 'master') this.#noteWeights(name, value)
  }

  #state(draft: RouterDraft): Role | null {
    const line = draft.state
    if (!line) return null
    const text = this.#reader.text(line) ?? ''
    if (text !== 'MASTER' && text !== 'BACKUP') {
      const message = `state "${text}" is not a state; use MASTER or BACKUP`
      this.#reader.problem('TSHA_E_VALUE', message, line.args[0]?.position ?? line.position)
      return null
    }
    const state = text === 'MASTER' ? 'master' : 'backup'
    this.#states.push({ state, line })
    draft.set('state', state, line)
    return state
  }

  #defaultPriority(
    name: string,
    statement: Statement,
    state: Role | null,
    draft: RouterDraft
  ): void {
    const priority = PRIORITY_OF_STATE[state ?? 'backup']
    draft.value['priority'] = priority
    const line = statement.block?.find(({ keyword }) => keyword === 'state') ?? statement
    this.#reader.placeEntry([...draft.path, 'priority'], 'missing priority: default', line.position)
    if (priority !== OWNER_PRIORITY) return
    this.#reader.note(
      `vrrp_instance ${name}: state MASTER without a priority is priority ${OWNER_PRIORITY}, the address owner, as in keepalived`
    )
  }

  #checkAuthentication(name: string, statement: Statement): void {
    const has = (keyword: string): boolean => this.#reader.has(statement, keyword)
    if (!has('authentication') || !has('auth_hmac')) return
    this.#reader.note(
      `vrrp_instance ${name}: authentication is left out beside auth_hmac, as in keepalived`
    )
  }

  #checkNativeIpv6({ nativeIpv6, value }: RouterDraft): void {
    if (!nativeIpv6) return
    const written = elementsOf(value['addresses'])[0]
    const address = typeof written === 'string' ? written : memberOf(written, 'address')
    if (typeof address !== 'string' || familyOf(address.replace(/\/.*/, '')) !== 'ipv4') return
    const message = `native_ipv6 contradicts the IPv4 address ${address}; remove one of them`
    this.#reader.problem('TSHA_E_VALUE', message, nativeIpv6.position)
  }

  /** Without peers keepalived goes on by multicast, with a message. */
  #unicast(name: string, draft: RouterDraft): void {
    if (draft.peers.length > 0) {
      draft.assign('unicast.peers', draft.peers)
      return
    }
    draft.remove('unicast')
    if (!draft.unicast) return
    this.#reader.note(
      `vrrp_instance ${name}: ${draft.unicast.keyword} without unicast_peer has no effect: advertisements go to the multicast group, as in keepalived; name the partner in unicast_peer`
    )
  }

  #clearOwnerRule(name: string, draft: RouterDraft): void {
    const { owner_ignore_adverts: ignores, priority } = draft.value
    if (ignores !== true || priority === OWNER_PRIORITY) return
    draft.remove('owner_ignore_adverts')
    // What global_defs says of all instances concerns owners alone.
    if (this.#defaults.globals.get('owner_ignore_adverts') === true) return
    this.#reader.note(
      `vrrp_instance ${name}: owner_ignore_adverts has no effect without priority ${OWNER_PRIORITY}, as in keepalived`
    )
  }

  /** Both are cleared with a message, in the order of keepalived's vrrp_complete_instance(). */
  #clearPreemption(name: string, state: Role | null, draft: RouterDraft): void {
    const { value } = draft
    const isOwner = value['priority'] === OWNER_PRIORITY
    const clear = (key: string, directive: string, reason: string): void => {
      draft.remove(key)
      this.#reader.note(
        `vrrp_instance ${name}: ${directive} has no effect ${reason}, as in keepalived`
      )
    }
    const isMaster = state === 'master' || (state === null && isOwner)
    if (value['preempt'] === false) {
      if (isOwner) clear('preempt', 'nopreempt', `with priority ${OWNER_PRIORITY}`)
      else if (isMaster) {
        clear('preempt', 'nopreempt', 'with state MASTER; use state BACKUP on both directors')
      }
    }
    if (value['preempt_delay'] === undefined || value['preempt_delay'] === '0s') return
    if (isMaster) {
      const reason = 'with state MASTER; use state BACKUP on both directors'
      clear('preempt_delay', 'preempt_delay', reason)
    } else if (value['preempt'] === false) clear('preempt_delay', 'preempt_delay', 'with nopreempt')
  }

  /** The partner's priority is in another file, so a weight that is too small can only be told of. */
  #noteWeights(name: string, { priority, track }: Readonly<Record<string, unknown>>): void {
    if (typeof priority !== 'number' || priority === OWNER_PRIORITY) return
    const lost = elementsOf(track).reduce((total: number, entry) => {
      const weight = memberOf(entry, 'weight')
      if (typeof weight !== 'number') return total
      return total + contributionOf(weight, memberOf(entry, 'reverse') === true).failed
    }, 0)
    if (lost >= 0) return
    const lowest = Math.max(1, priority + lost)
    this.#reader.note(
      `vrrp_instance ${name}: failed checks lower its priority from ${priority} to ${lowest}; the partner's priority must be above ${lowest}`
    )
  }
}
