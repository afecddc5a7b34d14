import type { AdminEvent } from '../admin/model.js'
import type { Style, View } from './style.js'
import { formatExactMoment } from './words.js'

export const LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const
export type Level = (typeof LEVELS)[number]

/** One line: when, how bad, of what, the text, and the other fields as `name=value`. */
export function formatEvent(event: AdminEvent, { style }: View): string {
  const { at, level, kind, subject, text, details } = event
  const about = subject === null ? kind : `${kind} ${subject}`
  const fields = Object.entries(details)
    .filter(([name]) => name !== subjectField(kind))
    .map(([name, value]) =>
      style.dim(`${name}=${typeof value === 'string' ? quote(value) : JSON.stringify(value)}`)
    )
  const head = `${style.dim(formatExactMoment(at))} ${paintLevel(level, style)} ${about}: ${text}`
  return [head, ...fields].join(' ')
}

/** The field of the log line that the subject was taken from is not told twice. */
function subjectField(kind: AdminEvent['kind']): string {
  return kind === 'virtual-router' ? 'virtualRouter' : kind
}

function quote(value: string): string {
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
}

function paintLevel(level: Level, style: Style): string {
  const word = level.toUpperCase().padEnd(5)
  if (level === 'error' || level === 'fatal') return style.bad(word)
  if (level === 'warn') return style.warning(word)
  return level === 'debug' ? style.dim(word) : word
}

/** Whether an event is bad enough for those who asked for `least` and worse. */
export function isAtLeast(level: Level, least: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least)
}
