import { nextDeadline, step } from '../../src/vrrp/machine.js'
import type { Event, State, VirtualRouter } from '../../src/vrrp/model.js'
import { PAIR_MASTER } from './router.js'

/** One line of a script: an event at a time, and the outcome that is expected, as text. */
interface ScriptLine {
  readonly number: number
  readonly now: number
  readonly event: Event
  readonly expected: string
}

/** A code block of a script file: a router, and what happens to it. */
export interface Script {
  readonly title: string
  readonly router: VirtualRouter
  readonly initial: State
  readonly lines: readonly ScriptLine[]
}

/** The scripts in a Markdown file, one for each code block, titled by the paragraph above it. */
export function parseScripts(file: string, text: string): readonly Script[] {
  const scripts: Script[] = []
  const lines = text.split('\n')
  let paragraph = ''
  let block: { number: number; text: string }[] | null = null
  lines.forEach((line, i) => {
    if (line.startsWith('```')) {
      if (block) scripts.push(parseScript(`${file}: ${paragraph}`, block))
      block = block ? null : []
    } else if (block) {
      block.push({ number: i + 1, text: line })
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
    const outcome = step(script.router, state, event, now)
    state = outcome.state
    const parts: string[] = outcome.actions.map((action) =>
      action.kind === 'advertise'
        ? `advertise ${action.priority}`
        : action.kind.replace('-addresses', '')
    )
    const deadline = nextDeadline(state)
    if (deadline !== null) parts.push(`deadline ${deadline}`)
    if (outcome.reason !== null) parts.push(`because ${outcome.reason}`)
    return { number, found: `${state.name}  ${parts.join('; ')}`.trim(), expected }
  })
}

function parseScript(title: string, block: readonly { number: number; text: string }[]): Script {
  const [given, ...rest] = block
  if (!given?.text.startsWith('given ')) throw new Error(`${title}: a script begins with "given"`)
  const settings = parseFields(given.text)
  const priority = Number(settings.get('priority'))
  return {
    title,
    router: {
      ...PAIR_MASTER,
      adverInterval: Number.parseInt(settings.get('interval') ?? '1s') * 1000,
      primaryAddress: settings.get('primary') ?? '192.168.64.130',
      makesBeforeBreak: settings.get('hand-over') !== 'keepalived'
    },
    initial: { name: 'initialize', priority, serviceUp: true },
    lines: rest.filter(({ text }) => text.trim() !== '').map(parseLine)
  }
}

function parseLine({ number, text }: { number: number; text: string }): ScriptLine {
  const match = /^([\d.]+)\s+([a-z-]+)(.*?)\s+->\s+(.*)$/.exec(text)
  if (!match) throw new Error(`line ${number}: not "time event -> outcome": ${text}`)
  const [, now, kind = '', fields = '', expected = ''] = match
  return { number, now: Number(now), event: parseEvent(kind, parseFields(fields)), expected }
}

function parseEvent(kind: string, fields: ReadonlyMap<string, string>): Event {
  switch (kind) {
    case 'startup':
    case 'shutdown':
    case 'timer':
    case 'link-down':
    case 'link-up':
      return { kind }
    case 'advert':
      return {
        kind: 'advertisement',
        priority: Number(fields.get('prio')),
        source: fields.get('from') ?? ''
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

function parseFields(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/([\w-]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value])
  )
}
