import type { Path } from '../source.js'
import { formatEndpoint } from '../../proxy/endpoint.js'
import { readServerAddress } from '../server-address.js'
import { numberOf, readBalance, readQueue } from './balance.js'
import { Block, setInherited } from './block.js'
import type { Report } from './block.js'
import { parseNginxTime } from './directives.js'
import type { Token } from './lexer.js'
import type { Directive } from './parser.js'

/** The keys of `keepalive` in `tsha.yaml` and nginx's words for them. */
const KEEPALIVE_SETTINGS = [
  ['connections', 'keepalive'],
  ['timeout', 'keepalive_timeout'],
  ['requests', 'keepalive_requests'],
  ['lifetime', 'keepalive_time']
] as const

/** The upstreams of a `nginx.conf`, those of `upstream` blocks and those that an address makes. */
export class Upstreams {
  /** In the shape of `upstreams` in `tsha.yaml`. */
  readonly value: Record<string, unknown> = {}
  readonly #report: Report
  /** nginx compares names of upstreams without their case. */
  readonly #nameByLowerCase = new Map<string, string>()

  constructor(http: Block, report: Report) {
    this.#report = report
    for (const directive of http.all('upstream')) this.#readUpstream(directive)
  }

  /** The name of the upstream that `name` refers to. */
  find(name: string): string | undefined {
    return this.#nameByLowerCase.get(name.toLowerCase())
  }

  get names(): string[] {
    return [...this.#nameByLowerCase.values()]
  }

  /**
   * The implicit upstream of `proxy_pass http://address` or of a host name. Its name is `$proxy_host`: nginx leaves the
   * port out where it is 80.
   */
  addAddress(directive: Directive, address: string): string | undefined {
    const read = readServerAddress(address)
    if (!read.ok) return undefined
    const host = formatEndpoint(read.endpoint)
    const name = read.endpoint.port === 80 ? host.slice(0, -':80'.length) : host
    if (this.find(name) === undefined) {
      this.value[name] = { servers: [{ address: host }] }
      this.#nameByLowerCase.set(name.toLowerCase(), name)
      this.#report.place(['upstreams', name], directive)
    }
    return name
  }

  #readUpstream(directive: Directive): void {
    const name = directive.args[0]?.text ?? ''
    const report = this.#report
    if (this.find(name) !== undefined || name === '__proto__') {
      report.problem('TSHA_E_DUPLICATE', `upstream "${name}" is given twice`, directive.position)
      return
    }
    const path = ['upstreams', name]
    const block = new Block(directive.block ?? [], 'upstream', report)
    const servers = block.all('server').map((server, index) => {
      report.place([...path, 'servers', index], server)
      return this.#readServer(server, [...path, 'servers', index])
    })
    const balance = readBalance(block, directive.block ?? [], [...path, 'balance'], report)
    const queue = readQueue(block, [...path, 'queue'], report)
    this.value[name] = {
      servers,
      keepalive: this.#readKeepalive(block, [...path, 'keepalive']),
      ...(balance === undefined ? {} : { balance }),
      ...(queue === undefined ? {} : { queue })
    }
    this.#nameByLowerCase.set(name.toLowerCase(), name)
    report.place(path, directive)
    report.place([...path, 'servers'], directive)
  }

  #readKeepalive(block: Block, path: Path): Record<string, unknown> {
    const keepalive: Record<string, unknown> = {}
    for (const [key, directive] of KEEPALIVE_SETTINGS) {
      setInherited(keepalive, key, path, [block], directive, this.#report)
    }
    return keepalive
  }

  #readServer(directive: Directive, path: Path): Record<string, unknown> {
    const [address, ...parameters] = directive.args
    const server: Record<string, unknown> = { address: this.#readAddress(address) }
    this.#report.place([...path, 'address'], directive)
    const seen = new Set<string>()
    for (const parameter of parameters) {
      const [key, value] = splitParameter(parameter.text)
      const label = key.includes('_') ? key : `server ${key}`
      if (seen.has(key)) {
        const message = `parameter "${key}" is given twice; use it once`
        this.#report.problem('TSHA_E_DUPLICATE', message, parameter.position)
      }
      seen.add(key)
      this.#report.places.set([...path, key], {
        position: parameter.position,
        keyPosition: parameter.position,
        label
      })
      this.#readParameter(server, key, value, parameter)
    }
    return server
  }

  #readParameter(
    server: Record<string, unknown>,
    key: string,
    value: string | undefined,
    parameter: Token
  ): void {
    if (FLAGS.includes(key) && value === undefined) server[key] = true
    else if (value !== undefined && TIMES.includes(key)) {
      server[key] = parseNginxTime(value) ?? value
    } else if (value !== undefined && NUMBERS.includes(key)) server[key] = numberOf(value)
    else this.#report.notSupported(`server parameter "${parameter.text}"`, parameter.position)
  }

  #readAddress(token: Token | undefined): string {
    const text = token?.text ?? ''
    if (!token || !text.startsWith('unix:')) return text
    const message = `unix socket "${text}" is not supported; use an IP address or a host name`
    this.#report.problem('TSHA_E_NOT_SUPPORTED', message, token.position)
    return '0.0.0.0:80'
  }
}

/** The parameters of a `server` by the kind of their value. */
const FLAGS: readonly string[] = ['down', 'backup']
const TIMES: readonly string[] = ['fail_timeout', 'slow_start']
const NUMBERS: readonly string[] = ['weight', 'max_conns', 'max_fails']

function splitParameter(text: string): [key: string, value: string | undefined] {
  const equals = text.indexOf('=')
  return equals === -1 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)]
}
