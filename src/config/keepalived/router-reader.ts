import type { Role } from '../model.js'
import type { Path } from '../source.js'
import type { Statement } from './parser.js'
import type { StatementReader } from './statement-reader.js'

/** keepalived's VRRP_PRIO_OWNER and VRRP_PRIO_DFL: the priority when none is given. */
const PRIORITY_OF_STATE: Readonly<Record<Role, number>> = { master: 255, backup: 100 }

const REQUIRED = [
  ['interface', 'interface'],
  ['vrid', 'virtual_router_id'],
  ['addresses', 'virtual_ipaddress']
] as const

/** Reads `vrrp_instance` blocks. */
export class RouterReader {
  readonly notes: string[] = []
  count = 0
  readonly #reader: StatementReader
  readonly #askedRole: Role | null
  readonly #roles = new Set<Role>()

  /** @param askedRole what `--role` says */
  constructor(reader: StatementReader, askedRole: Role | null) {
    this.#reader = reader
    this.#askedRole = askedRole
  }

  /** The one role that all `state` lines give. */
  get role(): Role | null {
    const [role] = this.#roles
    return role !== undefined && this.#roles.size === 1 ? role : null
  }

  /**
   * Adds the virtual router of one `vrrp_instance` to `into`.
   * @param weights weight of each `vrrp_script`
   */
  read(
    statement: Statement,
    into: Record<string, unknown>,
    weights: ReadonlyMap<string, number | string>
  ): void {
    this.count++
    const reader = this.#reader
    const name = reader.name(statement, into)
    if (name === undefined) return
    const router: Record<string, unknown> = {}
    const path = ['virtual_routers', name]
    into[name] = router
    reader.place(path, statement)
    // A directive that is missing is reported by its own name, at the block.
    for (const [key, keyword] of REQUIRED) {
      reader.placeEntry([...path, key], keyword, statement.position)
    }
    const found: { state: Role | null } = { state: null }
    const set = (key: string, read: (line: Statement) => unknown) => (line: Statement) => {
      router[key] = read(line)
      reader.place([...path, key], line)
    }
    reader.block(statement, {
      state: (line) => {
        found.state = this.#state(line)
      },
      interface: set('interface', (line) => reader.text(line)),
      virtual_router_id: set('vrid', (line) => this.#single(line)),
      priority: set('priority', (line) => this.#single(line)),
      advert_int: set('advert_interval', (line) => reader.seconds(line)),
      authentication: (line) => {
        this.#authentication(line, router, path)
      },
      virtual_ipaddress: (line) => {
        reader.place([...path, 'addresses'], line)
        router['addresses'] = this.#addresses(line, [...path, 'addresses'])
      },
      track_script: (line) => {
        reader.place([...path, 'track'], line)
        router['track'] = this.#tracks(line, [...path, 'track'], weights)
      }
    })
    if (router['priority'] === undefined && !reader.has(statement, 'priority')) {
      this.#defaultPriority(statement, found.state, router, path)
    }
    if (found.state === 'master') this.#noteWeights(name, router)
  }

  #single(line: Statement): number | string | undefined {
    if (line.args.length > 1) this.#reader.notSupportedWord(line, 1)
    return this.#reader.number(line)
  }

  #state(line: Statement): Role | null {
    const text = this.#reader.text(line) ?? ''
    const position = line.args[0]?.position ?? line.position
    if (text !== 'MASTER' && text !== 'BACKUP') {
      const message = `state "${text}" is not a state; use MASTER or BACKUP`
      this.#reader.problem('TSHA_E_VALUE', message, position)
      return null
    }
    const state = text === 'MASTER' ? 'master' : 'backup'
    this.#roles.add(state)
    if (this.#askedRole !== null && this.#askedRole !== state) {
      const message = `state ${text} contradicts --role ${this.#askedRole}; use --role ${state}, or leave it out`
      this.#reader.problem('TSHA_E_ROLE', message, position)
    }
    return state
  }

  #defaultPriority(
    statement: Statement,
    state: Role | null,
    router: Record<string, unknown>,
    path: Path
  ): void {
    router['priority'] = PRIORITY_OF_STATE[state ?? 'backup']
    const line = statement.block?.find(({ keyword }) => keyword === 'state') ?? statement
    this.#reader.placeEntry([...path, 'priority'], 'missing priority: default', line.position)
  }

  #authentication(line: Statement, router: Record<string, unknown>, path: Path): void {
    const reader = this.#reader
    const authentication: Record<string, unknown> = {}
    reader.place([...path, 'authentication'], line)
    reader.block(line, {
      auth_type: (entry) => {
        const type = reader.text(entry)
        // keepalived reads any other word than AH and PASS as no authentication, with a warning.
        if (type === 'PASS') authentication['type'] = 'pass'
        else {
          const message = `auth_type ${type ?? ''} is not supported; use PASS`
          reader.problem('TSHA_E_NOT_SUPPORTED', message, entry.args[0]?.position ?? entry.position)
          authentication['type'] = 'pass'
        }
      },
      auth_pass: (entry) => {
        if (entry.args.length > 1) {
          const message = 'auth_pass has several words; use quotes around a password with blanks'
          reader.problem('TSHA_E_VALUE', message, entry.position)
        }
        authentication['password'] = entry.args[0]?.text
        reader.place([...path, 'authentication', 'password'], entry)
      }
    })
    for (const keyword of ['auth_type', 'auth_pass'].filter((key) => !reader.has(line, key))) {
      reader.problem('TSHA_E_REQUIRED', `${keyword} is missing in authentication`, line.position)
    }
    if (Object.keys(authentication).length === 2) router['authentication'] = authentication
  }

  #addresses(line: Statement, path: Path): string[] {
    return (line.block ?? []).map((entry, index) => {
      this.#reader.placeEntry([...path, index], line.keyword, entry.position)
      const option = entry.args[0]
      if (option) {
        const message = `"${option.text}" of a virtual_ipaddress is not supported; use addresses alone`
        this.#reader.problem('TSHA_E_NOT_SUPPORTED', message, option.position)
      }
      if (entry.keyword.includes(':')) {
        const message = `IPv6 address ${entry.keyword} is not supported; use IPv4 addresses`
        this.#reader.problem('TSHA_E_NOT_SUPPORTED', message, entry.position)
        return '0.0.0.0/32'
      }
      return entry.keyword
    })
  }

  #tracks(
    line: Statement,
    path: Path,
    weights: ReadonlyMap<string, number | string>
  ): Record<string, unknown>[] {
    return (line.block ?? []).map((entry, index) => {
      const entryPath = [...path, index]
      const reader = this.#reader
      reader.placeEntry(entryPath, 'track_script', entry.position)
      reader.placeEntry([...entryPath, 'check'], 'track_script', entry.position)
      reader.placeEntry([...entryPath, 'weight'], 'weight', entry.position)
      const [keyword, value, ...rest] = entry.args
      if (keyword && keyword.text !== 'weight') reader.notSupportedWord(entry, 0)
      if (rest.length > 0) reader.notSupportedWord(entry, 2)
      // A script that does not exist has no weight to judge; its name is the problem then.
      let weight: number | string = weights.get(entry.keyword) ?? -1
      if (keyword?.text === 'weight' && value) {
        weight = /^[+-]?\d+$/.test(value.text) ? Number(value.text) : value.text
        reader.placeEntry([...entryPath, 'weight'], 'weight', value.position)
      }
      return { check: entry.keyword, weight }
    })
  }

  /** The partner's priority is in another file, so a weight that is too small can only be told of. */
  #noteWeights(name: string, router: Readonly<Record<string, unknown>>): void {
    const { priority, track } = router
    if (typeof priority !== 'number' || !Array.isArray(track)) return
    const lost = (track as { weight: unknown }[])
      .map(({ weight }) => weight)
      .filter((weight): weight is number => typeof weight === 'number' && weight < 0)
      .reduce((total, weight) => total + weight, 0)
    if (lost === 0) return
    const lowest = Math.max(1, priority + lost)
    this.notes.push(
      `vrrp_instance ${name}: failed checks lower its priority from ${priority} to ${lowest}; the partner's priority must be above ${lowest}`
    )
  }
}
