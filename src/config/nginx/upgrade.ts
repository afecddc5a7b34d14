import type { Block, Levels, Report } from './block.js'
import { inheritedAll } from './block.js'
import type { Directive } from './parser.js'

/*
 * The way in which nginx is told to pass Upgrade on, which for tsha is one word, `upgrade: true`:
 * `Upgrade $http_upgrade` with `Connection "upgrade"`, or with the variable of a map that is `close`
 * for requests without Upgrade.
 */

const MAP_SHAPE = "map $http_upgrade $connection_upgrade { default upgrade; '' close; }"

/** Names of the variables that maps set to `upgrade` or `close`; any other map is reported. */
export function readUpgradeMaps(http: Block, report: Report): ReadonlySet<string> {
  const names = new Set<string>()
  for (const map of http.all('map')) {
    const [source, target] = map.args
    const name = /^\$(\w+)$/.exec(target?.text ?? '')?.[1]
    const odd = map.block?.find((entry) => !isKnownEntry(entry))
    if (source?.text.toLowerCase() !== '$http_upgrade' || name === undefined) {
      reportMap(source?.position ?? map.position)
    } else if (odd) reportMap(odd.position)
    else if (!isComplete(map.block ?? [])) reportMap(map.position)
    else names.add(name.toLowerCase())
  }
  return names

  function reportMap(position: Directive['position']): void {
    const message = `a map other than ${MAP_SHAPE} is not supported`
    report.problem('TSHA_E_NOT_SUPPORTED', message, position)
  }
}

/** Of two known entries, one is for each case. */
function isComplete([first, second, ...more]: readonly Directive[]): boolean {
  return second !== undefined && more.length === 0 && first?.name !== second.name
}

function isKnownEntry({ name, args, block }: Directive): boolean {
  const [value] = args
  if (block !== null || args.length !== 1 || value === undefined) return false
  if (name === 'default') return value.text.toLowerCase() === 'upgrade'
  return name === '' && value.text.toLowerCase() === 'close'
}

/**
 * Takes Upgrade, and the Connection that belongs to it, out of the headers of a location.
 * @returns the directive that passes Upgrade on, or undefined if there is none
 */
export function takeUpgrade(
  headers: Record<string, string>,
  levels: Levels,
  variables: ReadonlySet<string>,
  report: Report
): Directive | undefined {
  const directives = inheritedAll(levels, 'proxy_set_header')
  const [upgrade, connection] = ['upgrade', 'connection'].map((name) =>
    directives.find(({ args }) => args[0]?.text.toLowerCase() === name)
  )
  const value = upgrade?.args[1]?.text
  if (!upgrade || value === undefined || value === '') return undefined
  for (const directive of [upgrade, connection]) {
    const name = directive?.args[0]?.text
    if (name !== undefined) Reflect.deleteProperty(headers, name)
  }
  if (isUpgradeField(value) && asksForUpgrade(connection, variables)) return upgrade
  const message =
    'proxy_set_header Upgrade is only supported as $http_upgrade together with Connection "upgrade"'
  report.problem('TSHA_E_NOT_SUPPORTED', message, upgrade.position)
  return undefined
}

function isUpgradeField(value: string): boolean {
  return /^\$(?:http_upgrade|\{http_upgrade\})$/i.test(value)
}

function asksForUpgrade(
  connection: Directive | undefined,
  variables: ReadonlySet<string>
): boolean {
  const value = connection?.args[1]?.text.toLowerCase() ?? ''
  const [, braced, plain] = /^\$(?:\{(\w+)\}|(\w+))$/.exec(value) ?? []
  return value === 'upgrade' || variables.has(braced ?? plain ?? '')
}
