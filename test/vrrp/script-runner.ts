import { nextDeadline, step } from '../../src/vrrp/machine.js'
import type { Action, Event, FaultCause, State, Step, VirtualRouter } from '../../src/vrrp/model.js'
import { PAIR_MASTER } from './router.js'

/** One line of a script: an event at a time, and the outcome that is expected, as text. */
interface ScriptLine {
  readonly number: number
  readonly now: number
  /** `on-time`: the timer fires at every deadline until then; what is done meanwhile is left out. */
  readonly event: Event | 'on-time'
  readonly expected: string
}

/** A code block of a script file: a router, and what happens to it. */
export interface Script {
  /** The heading above it, as it is written. */
  readonly heading: string
  readonly title: string
  readonly router: VirtualRouter
  readonly initial: State
  readonly lines: readonly ScriptLine[]
}

/**
 * The scripts in a Markdown file, one for each code block, titled by the paragraph above it. A line is
 *
 *     TIME EVENT [FIELD=VALUE …] -> STATE  ACTION; …; deadline TIME; because REASON
 *
 * with times in milliseconds. A script begins in Initialize, with what `given` says.
 */
export function parseScripts(file: string, text: string): readonly Script[] {
  const scripts: Script[] = []
  const lines = text.split('\n')
  let heading = ''
  let paragraph = ''
  let block: { number: number; text: string }[] | null = null
  lines.forEach((line, i) => {
    if (line.startsWith('```')) {
      if (block) scripts.push(parseScript(heading, `${file}: ${paragraph}`, block))
      block = block ? null : []
    } else if (block) {
      block.push({ number: i + 1, text: line })
    } else if (line.startsWith('#')) {
      heading = line.replace(/^#+ */, '')
    } else if (line.trim() !== '') {
      paragraph = lines[i - 1]?.trim() === '' ? line : `${paragraph} ${line}`
    }
  })
  return scripts
}

/** What each line of a script really comes to, beside what is expected. */
export function play(
  script: Script
): readonly { number: number; found: string; expected: string }[] {
  let state = script.initial
  return script.lines.map(({ number, now, event, expected }) => {
    if (event === 'on-time') {
      state = runOnTime(script.router, state, now)
      return { number, found: describe({ state, actions: [], reason: null }), expected }
    }
    const outcome = step(script.router, state, event, now)
    state = outcome.state
    return { number, found: describe(outcome), expected }
  })
}

function runOnTime(router: VirtualRouter, from: State, until: number): State {
  let state = from
  for (;;) {
    const deadline = nextDeadline(state)
    if (deadline === null || deadline > until) return state
    state = step(router, state, { kind: 'timer' }, deadline).state
  }
}

function describe({ state, actions, reason }: Step): string {
  const parts = actions.map(describeAction)
  const deadline = nextDeadline(state)
  if (deadline !== null) parts.push(`deadline ${inMicroseconds(deadline)}`)
  if (reason !== null) parts.push(`because ${reason}`)
  return `${state.name}  ${parts.join('; ')}`.trim()
}

function describeAction(action: Action): string {
  switch (action.kind) {
    case 'advertise':
      return `advertise ${action.priority}`
    case 'announce':
      return action.announcement === 'mastery' ? 'announce' : `announce ${action.announcement}`
    case 'add-addresses':
      return 'add'
    case 'remove-addresses':
      return 'remove'
  }
}

/** Sums of fractions are not exact. */
function inMicroseconds(time: number): number {
  return Math.round(time * 1000) / 1000
}

function parseScript(
  heading: string,
  title: string,
  block: readonly { number: number; text: string }[]
): Script {
  const [given, ...rest] = block
  if (!given?.text.startsWith('given ')) throw new Error(`${title}: a script begins with "given"`)
  const settings = parseFields(given.text)
  const router = parseRouter(settings)
  return {
    heading,
    title,
    router,
    initial: { name: 'initialize', priority: Number(settings.get('priority')), serviceUp: true },
    lines: rest
      .filter(({ text }) => text.trim() !== '')
      .map((line) => parseLine(line, router.adverInterval))
  }
}

/** The settings of `given`, with the names of `tsha.yaml` and keepalived; the defaults are the pair's. */
const SETTINGS = [
  'priority',
  'version',
  'primary',
  'interval',
  'hand-over',
  'down-timer-adverts',
  'preempt',
  'preempt-delay',
  'state',
  'lower-prio-no-advert',
  'higher-prio-send-advert',
  'grouped',
  'announce-delay',
  'announce-refresh',
  'announce-lower-delay'
]

function parseRouter(settings: ReadonlyMap<string, string>): VirtualRouter {
  for (const name of settings.keys())
    if (!SETTINGS.includes(name)) throw new Error(`unknown setting ${name}`)
  const time = (name: string, byDefault: string): number =>
    milliseconds(settings.get(name) ?? byDefault)
  const is = (name: string): boolean => settings.get(name) === 'yes'
  const primaryAddress = settings.get('primary') ?? '192.168.64.130'
  return {
    ...PAIR_MASTER,
    version: settings.get('version') === '3' ? 3 : 2,
    family: primaryAddress.includes(':') ? 'ipv6' : 'ipv4',
    adverInterval: time('interval', '1s'),
    downTimerAdverts: Number(settings.get('down-timer-adverts') ?? '3'),
    primaryAddress,
    preempts: settings.get('preempt') !== 'no',
    preemptDelay: time('preempt-delay', '0s'),
    isOwner: settings.get('priority') === '255',
    startsAsMaster: settings.get('state') !== 'backup',
    answersLowerPriority: !is('lower-prio-no-advert'),
    yieldsWithAdvert: is('higher-prio-send-advert'),
    announcements: {
      delay: time('announce-delay', '5s'),
      refresh: time('announce-refresh', '0s'),
      lowerPriorityDelay: time('announce-lower-delay', '5s')
    },
    makesBeforeBreak: settings.get('hand-over') !== 'keepalived',
    isGrouped: is('grouped')
  }
}

function parseLine(
  { number, text }: { number: number; text: string },
  adverInterval: number
): ScriptLine {
  const match = /^([\d.]+)\s+([a-z-]+)(.*?)\s+->\s+(.*)$/.exec(text)
  if (!match) throw new Error(`line ${number}: not "time event -> outcome": ${text}`)
  const [, now, kind = '', fields = '', expected = ''] = match
  const event = parseEvent(kind, parseFields(fields), adverInterval)
  return { number, now: Number(now), event, expected }
}

function parseEvent(
  kind: string,
  fields: ReadonlyMap<string, string>,
  adverInterval: number
): Event | 'on-time' {
  switch (kind) {
    case 'on-time':
      return kind
    case 'startup':
    case 'shutdown':
    case 'timer':
    case 'fault-cleared':
    case 'addresses-lost':
    case 'group-master':
    case 'group-backup':
      return { kind }
    case 'fault':
      return { kind, cause: (fields.get('cause') ?? 'link') as FaultCause }
    case 'announce-again':
      return {
        kind,
        announcement: fields.get('as') === 'lower-priority' ? 'lower-priority' : 'mastery'
      }
    case 'advert':
      return {
        kind: 'advertisement',
        priority: Number(fields.get('prio')),
        source: fields.get('from') ?? '',
        adverInterval: fields.has('interval')
          ? milliseconds(fields.get('interval') ?? '')
          : adverInterval
      }
    case 'conditions':
      return {
        kind,
        conditions: {
          priority: Number(fields.get('priority')),
          serviceUp: fields.get('service') === 'up'
        }
      }
    default:
      throw new Error(`unknown event ${kind}`)
  }
}

/** `1s`, `1.5s`, `20ms`. */
function milliseconds(text: string): number {
  const [, number = '', unit] = /^([\d.]+)(ms|s)$/.exec(text) ?? []
  if (unit === undefined) throw new Error(`not a time with its unit: ${text}`)
  return Number(number) * (unit === 's' ? 1000 : 1)
}

function parseFields(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/([\w-]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value])
  )
}
