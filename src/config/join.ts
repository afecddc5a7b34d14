import { findProgram, readScript } from './programs.js'
import { splitCommand } from './command.js'
import type { KeepalivedSource } from './keepalived/keepalived-conf.js'
import { Places, elementsOf, entriesOf, isRecord, memberOf } from './source.js'
import type { Source } from './source.js'
import { SERVICE_CHECK } from './router-schema.js'
import { formatDuration, parseDuration } from './units.js'

/** The service check of a virtual router whose scripts do not look for nginx: the usual script's values. */
const DEFAULT_SERVICE_TRACK = {
  check: SERVICE_CHECK,
  interval: '2s',
  fall: 1,
  rise: 1,
  weight: -20
}

/** Lowest weight that VRRP tracking knows. */
const MIN_WEIGHT = -253
const MAX_WEIGHT = 253

const LOOKING_TOOLS = String.raw`pgrep|pidof|pkill|killall|ps|systemctl|service|rc-service`

/** A line that looks for a process, service or pid file named nginx. */
const LOOKS_FOR_NGINX = new RegExp(
  String.raw`(?:^|[^\w-])(?:${LOOKING_TOOLS})\b[^\n]*\bnginx\b|\bnginx\.pid\b`,
  'm'
)

/** True when the text of a script, or a command line, looks for a process or service named nginx. */
export function looksForNginx(text: string): boolean {
  const code = text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, ''))
    .join('\n')
  return LOOKS_FOR_NGINX.test(code)
}

/**
 * Joins a `keepalived.conf` and a `nginx.conf` into one configuration. A script that looks for a
 * process named nginx can never pass when tsha is the proxy, so tsha's service check takes its place,
 * with the script's timing and weight; a virtual router without one tracks the service check too.
 */
export async function joinSources(keepalived: KeepalivedSource, nginx: Source): Promise<Source> {
  const places = new Places(keepalived.places.find([]).position.file)
  places.addAll(keepalived.places)
  places.addAll(nginx.places)
  const notes = [...keepalived.notes, ...nginx.notes]
  const replaced = await replacedChecks(keepalived)
  const checks = Object.fromEntries(
    entriesOf(keepalived.value['checks']).filter(([name]) => !replaced.has(name))
  )
  const routers = entriesOf(keepalived.value['virtual_routers']).map(
    ([name, router]) => [name, trackService(name, router, replaced, notes)] as const
  )
  const groups = entriesOf(keepalived.value['sync_groups']).map(([name, group]) => {
    const { tracks } = replaceTracks(group, replaced, notes)
    return [name, isRecord(group) ? { ...group, track: tracks } : group] as const
  })
  return {
    value: {
      ...nginx.value,
      ...keepalived.value,
      checks,
      virtual_routers: Object.fromEntries(routers),
      ...(groups.length === 0 ? {} : { sync_groups: Object.fromEntries(groups) })
    },
    places,
    problems: [...keepalived.problems, ...nginx.problems],
    ignored: [...new Set([...keepalived.ignored, ...nginx.ignored])],
    notes,
    isStrict: false
  }
}

interface ReplacedCheck {
  readonly program: string
  readonly timing: Readonly<Record<string, unknown>>
}

async function replacedChecks(source: Source): Promise<Map<string, ReplacedCheck>> {
  const replaced = new Map<string, ReplacedCheck>()
  for (const [name, check] of entriesOf(source.value['checks'])) {
    const command = memberOf(check, 'command')
    if (typeof command !== 'string' && !Array.isArray(command)) continue
    const words = splitCommand(command as string | string[])
    const program = await programThatLooks(words)
    if (program === null) continue
    const interval = memberOf(check, 'interval') ?? '1s'
    const timing = {
      interval,
      ...(memberOf(check, 'timeout') === undefined ? {} : { timeout: memberOf(check, 'timeout') }),
      fall: memberOf(check, 'fall') ?? 1,
      rise: memberOf(check, 'rise') ?? 1
    }
    replaced.set(name, { program, timing })
  }
  return replaced
}

async function programThatLooks(words: readonly string[]): Promise<string | null> {
  const commandLine = words.join(' ')
  if (looksForNginx(commandLine.replace(/^\S*\//, ''))) return commandLine
  const [first = '', ...args] = words
  const program = await findProgram(first)
  // `/bin/sh /path/check.sh`: the script is an argument of its interpreter.
  const paths = [program.ok ? program.path : first, ...args].filter((word) => word.startsWith('/'))
  for (const path of paths) {
    const text = await readScript(path)
    if (text !== null && looksForNginx(text)) return path
  }
  return null
}

function trackService(
  name: string,
  router: unknown,
  replaced: ReadonlyMap<string, ReplacedCheck>,
  notes: string[]
): unknown {
  if (!isRecord(router)) return router
  const { tracks, service } = replaceTracks(router, replaced, notes)
  if (!service) {
    tracks.push(DEFAULT_SERVICE_TRACK)
    notes.push(
      `vrrp_instance ${name}: tsha is the proxy here and asks its own data path too, ${describeTiming(DEFAULT_SERVICE_TRACK)}`
    )
  }
  return { ...router, track: tracks }
}

/** The tracks of a virtual router or sync group with the service check for those that look for nginx. */
function replaceTracks(
  owner: unknown,
  replaced: ReadonlyMap<string, ReplacedCheck>,
  notes: string[]
): { tracks: unknown[]; service: Record<string, unknown> | null } {
  const tracks: unknown[] = []
  let service: Record<string, unknown> | null = null
  for (const track of elementsOf(memberOf(owner, 'track'))) {
    const check = memberOf(track, 'check')
    const replacement = typeof check === 'string' ? replaced.get(check) : undefined
    if (!replacement) {
      tracks.push(track)
      continue
    }
    const weight = memberOf(track, 'weight')
    notes.push(
      `vrrp_script ${String(check)}: ${replacement.program} looks for a process named nginx; tsha is the proxy here ` +
        `and asks its own data path instead, ${describeTiming({ ...replacement.timing, weight })}`
    )
    if (service) service['weight'] = addWeights(service['weight'], weight)
    else {
      service = { ...(track as object), check: SERVICE_CHECK, ...replacement.timing, weight }
      tracks.push(service)
    }
  }
  return { tracks, service }
}

function addWeights(first: unknown, second: unknown): unknown {
  if (typeof first !== 'number' || typeof second !== 'number') return first
  // Weight 0 is a fault, which is more than any priority.
  if (first === 0 || second === 0) return 0
  return Math.max(MIN_WEIGHT, Math.min(MAX_WEIGHT, first + second))
}

function describeTiming(timing: Readonly<Record<string, unknown>>): string {
  const { interval, fall, rise, weight } = timing
  const intervalMs = typeof interval === 'string' ? parseDuration(interval) : undefined
  const every = intervalMs === undefined ? String(interval) : formatDuration(intervalMs)
  return `every ${every}, fall ${String(fall)}, rise ${String(rise)}, weight ${String(weight)}`
}
