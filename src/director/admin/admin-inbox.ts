import type { AdminToDirector } from '../../admin/messages.js'

/** Of a text for the log, no more than this is written down. */
const MAX_TEXT = 1000
/** So many places at most: there are two. */
const MAX_PLACES = 4

/**
 * A message of the admin process, which speaks to the network and is not believed blindly: null when it
 * is none. The command in it is checked by those who carry it out.
 */
export function readAdminMessage(value: unknown): AdminToDirector | null {
  if (typeof value !== 'object' || value === null) return null
  const { type, where, message, id, command, by } = value as Readonly<Record<string, unknown>>
  switch (type) {
    case 'ready':
      return { type }
    case 'listening': {
      if (!Array.isArray(where) || where.length > MAX_PLACES || !where.every(isText)) return null
      return { type, where: where.map(shortened) }
    }
    case 'refused':
      if (!isText(where) || !isText(message)) return null
      return { type, where: shortened(where), message: shortened(message) }
    case 'warning':
      return isText(message) ? { type, message: shortened(message) } : null
    case 'status':
      return isId(id) ? { type, id } : null
    case 'command': {
      if (!isId(id) || !isText(by) || typeof command !== 'object' || command === null) return null
      const unchecked = command as Extract<AdminToDirector, { type: 'command' }>['command']
      return { type, id, command: unchecked, by: shortened(by) }
    }
    default:
      return null
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

function shortened(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}
