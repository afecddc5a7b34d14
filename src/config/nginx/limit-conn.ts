import { suggestion } from '../nearest.js'
import { parseSize } from '../units.js'
import type { Path } from '../source.js'
import { inheritedAll } from './block.js'
import type { Block, Report } from './block.js'

/** The one key that `max_connections_per_client` counts by. */
const CLIENT_KEY = '$binary_remote_addr'
/** nginx's own bound. */
const MAX_LIMIT = 65_535

/** Reads the names of the `limit_conn_zone`s of a `http` block. */
export function readLimitZones(http: Block, report: Report): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { args, position } of http.all('limit_conn_zone')) {
    const [key, zone] = args
    if (!key || !zone) continue
    const [, name = '', size = ''] = /^zone=([^:]+):(.+)$/.exec(zone.text) ?? []
    if (name === '' || parseSize(size) === undefined) {
      const message = `limit_conn_zone "${zone.text}" is not valid; use zone=NAME:SIZE`
      report.problem('TSHA_E_VALUE', message, zone.position)
      continue
    }
    if (key.text !== CLIENT_KEY) {
      const message = `limit_conn_zone by "${key.text}" is not supported; use ${CLIENT_KEY}`
      report.problem('TSHA_E_NOT_SUPPORTED', message, key.position)
    }
    if (names.has(name)) {
      report.problem('TSHA_E_DUPLICATE', `limit_conn_zone "${name}" is given twice`, position)
    }
    names.add(name)
  }
  return names
}

/** Sets `max_connections_per_client` of a listener from the `limit_conn` that holds for its server. */
export function readLimitConn(
  listener: Record<string, unknown>,
  path: Path,
  levels: readonly [server: Block, http: Block],
  zones: ReadonlySet<string>,
  report: Report
): void {
  const [directive, second] = inheritedAll(levels, 'limit_conn')
  if (second) report.notSupported('a second limit_conn', second.position)
  const [zone, number] = directive?.args ?? []
  if (!directive || !zone || !number) return
  if (!zones.has(zone.text)) {
    const message = `limit_conn_zone "${zone.text}" does not exist${suggestion(zone.text, [...zones])}`
    report.problem('TSHA_E_REFERENCE', message, zone.position)
    return
  }
  const limit = /^\d{1,6}$/.test(number.text) ? Number(number.text) : 0
  if (limit < 1 || limit > MAX_LIMIT) {
    const message = `limit_conn "${number.text}" is not valid; use 1 to ${MAX_LIMIT}`
    report.problem('TSHA_E_VALUE', message, number.position)
    return
  }
  listener['max_connections_per_client'] = limit
  report.place([...path, 'max_connections_per_client'], directive, 1)
  const note =
    `limit_conn ${zone.text} ${limit}: every connection of a client is counted from its begin to its end, ` +
    'an IPv6 client by its /64 network, in each worker'
  if (!report.notes.includes(note)) report.notes.push(note)
}
