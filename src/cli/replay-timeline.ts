import type { Entry, PeerEventEntry } from '../director/recording/recording.js'
import type { Event, State } from '../vrrp/model.js'

const NAME_WIDTH = 16

/**
 * The story of a recording, a line for each entry that tells of something: when, of whom, what
 * happened, and what became of it.
 *
 * @returns null for an entry that only repeats what is known
 */
export function timelineOf(entry: Entry): string | null {
  const told = story(entry)
  if (told === null) return null
  const when = entry.time.replace('T', ' ').replace('Z', '')
  const [who, what] = told
  return `${when}  ${who.padEnd(NAME_WIDTH)}  ${what}`
}

function story(entry: Entry): readonly [who: string, what: string] | null {
  switch (entry.type) {
    case 'header':
      return ['tsha', `${entry.version}, ${entry.role ?? 'no role'}, router ID ${entry.routerId}`]
    case 'segment':
      return null
    case 'virtual-router': {
      const { settings, state, begins } = entry
      return begins ? [settings.name, `begins: ${stateText(state)}`] : null
    }
    case 'step': {
      const { router, event, state, reason, actions } = entry
      const done = actions.map((action) =>
        action.kind === 'advertise'
          ? `advertise ${action.priority}`
          : action.kind === 'announce'
            ? `announce ${action.announcement}`
            : action.kind
      )
      const why = reason === null ? '' : ` (${reason})`
      const then = done.length === 0 ? '' : `: ${done.join(', ')}`
      return [router, `${eventText(event)} -> ${stateText(state)}${why}${then}`]
    }
    case 'sync-group': {
      const { group, members, orders } = entry
      if (orders.length === 0) return null
      const each = orders.map(
        ({ member, event }) => `${members[member]?.name ?? member}: ${eventText(event)}`
      )
      return [group, `orders ${each.join(', ')}`]
    }
    case 'peer':
      return null
    case 'peer-event': {
      const { peer, event, status, detail } = entry
      return [peer, `${event.kind}${inBrackets(detail)} -> ${peerText(status)}`]
    }
    case 'check':
      return null
    case 'check-result': {
      const { check, passed, status, detail } = entry
      const now = status.isUp === true ? 'passes' : 'fails'
      const doubt = status.contradictions > 0 ? `, ${status.contradictions} against it` : ''
      return [check, `${passed ? 'passed' : 'failed'}${inBrackets(detail)} -> ${now}${doubt}`]
    }
    case 'gap':
      return [entry.subject, 'too much happens: not recorded from here on']
    case 'gap-end':
      return [entry.subject, `recorded again; ${entry.missed} entries are missing`]
    case 'note':
      return [entry.subject ?? 'tsha', `${entry.topic} ${JSON.stringify(entry.facts)}`]
  }
}

function inBrackets(detail: string): string {
  return detail === '' ? '' : ` (${detail})`
}

function eventText(event: Event): string {
  switch (event.kind) {
    case 'advertisement':
      return `advertisement of priority ${event.priority} from ${event.source}`
    case 'conditions': {
      const { priority, serviceUp } = event.conditions
      return `priority is ${priority}, service ${serviceUp ? 'up' : 'down'}`
    }
    case 'fault':
      return `fault: ${event.cause}`
    default:
      return event.kind
  }
}

function stateText(state: State): string {
  if (state.name === 'fault') return `fault (${state.cause})`
  return state.name === 'master' && state.handOver ? 'master, handing over' : state.name
}

function peerText({ isDown, fails }: PeerEventEntry['status']): string {
  return isDown ? 'out by its check' : `${fails} failures`
}
