import type { CheckStatus, Hysteresis } from '../../health/status.js'
import type { FailureRules, PeerEvent, PeerStatus } from '../../proxy/upstream/peer-status.js'
import type { Awaited, Silence } from '../../proxy/upstream/silence.js'
import {
  DecodeError,
  facts,
  flag,
  list,
  nullable,
  number,
  oneOf,
  shape,
  text,
  word,
  type Codec,
  type Json
} from '../../vrrp/json-codec.js'
import type { Action, ElectionSettings, Event, Reason, State } from '../../vrrp/model.js'
import {
  actionCodec,
  eventCodec,
  memberCodec,
  orderCodec,
  reasonCodec,
  settingsCodec,
  stateCodec
} from '../../vrrp/recording.js'
import type { GroupMember, GroupOrder } from '../../vrrp/sync-group.js'

/** Of the lines below; one that differs is refused. */
export const RECORDING_FORMAT = 1

/** When something happened. */
interface Stamped {
  /** Wall clock, ISO 8601 in UTC. */
  readonly time: string
  /** CLOCK_MONOTONIC in milliseconds, every digit of it. */
  readonly at: number
}

/** The first line: whose recording it is. */
export interface HeaderEntry extends Stamped {
  readonly type: 'header'
  readonly format: number
  readonly version: string
  readonly role: string | null
  readonly routerId: string
  readonly pid: number
}

/** From here on the recording can be replayed without what was before. */
export interface SegmentEntry extends Stamped {
  readonly type: 'segment'
  readonly number: number
}

/** A virtual router with all that its next step depends on. */
export interface RouterEntry extends Stamped {
  readonly type: 'virtual-router'
  readonly settings: ElectionSettings
  readonly state: State
  /** It is new: its state follows from nothing before. */
  readonly begins: boolean
}

/** A virtual router took an event. */
export interface StepEntry extends Stamped {
  readonly type: 'step'
  readonly router: string
  readonly event: Event
  readonly state: State
  readonly reason: Reason | null
  readonly actions: readonly Action[]
}

/** A sync group decided what its members have to do. */
export interface GroupEntry extends Stamped {
  readonly type: 'sync-group'
  readonly group: string
  /** Index of the member that stepped; null when the whole group was looked at. */
  readonly stepped: number | null
  /** Why that one stepped. */
  readonly reason: Reason | null
  readonly members: readonly (GroupMember & { readonly name: string })[]
  readonly orders: readonly GroupOrder[]
}

/** What a group saw, and what it made of it. */
export type GroupDecision = Omit<GroupEntry, 'type' | 'time' | 'at'>

/** A server of an upstream with all that its next status depends on. */
export interface PeerEntry extends Stamped {
  readonly type: 'peer'
  readonly peer: string
  readonly rules: FailureRules
  readonly status: PeerStatus
  readonly begins: boolean
}

/** Something was learned about a peer that changed its status. */
export interface PeerEventEntry extends Stamped {
  readonly type: 'peer-event'
  readonly peer: string
  readonly event: PeerEvent
  readonly status: PeerStatus
  readonly detail: string
}

/** A check with all that its next status depends on. */
export interface CheckEntry extends Stamped {
  readonly type: 'check'
  readonly check: string
  readonly rules: Hysteresis
  readonly status: CheckStatus
  readonly begins: boolean
}

/** A result of a check that changed its status, or counts towards a change. */
export interface CheckResultEntry extends Stamped {
  readonly type: 'check-result'
  readonly check: string
  readonly passed: boolean
  readonly status: CheckStatus
  readonly detail: string
}

/** Too much happens to a subject: nothing of it is recorded until that is over. */
export interface GapEntry extends Stamped {
  readonly type: 'gap'
  readonly subject: string
}

/** It is calm again; the subject's whole state follows. */
export interface GapEndEntry extends Stamped {
  readonly type: 'gap-end'
  readonly subject: string
  readonly missed: number
}

const NOTE_TOPICS = [
  'link',
  'address',
  'conditions',
  'faults',
  'check',
  'command',
  'clock',
  'worker',
  'end'
] as const
export type NoteTopic = (typeof NOTE_TOPICS)[number]

/** Something from outside that is not replayed, for those who read. */
export interface NoteEntry extends Stamped {
  readonly type: 'note'
  readonly topic: NoteTopic
  /** Name of the virtual router, the check, …; null for the director itself. */
  readonly subject: string | null
  readonly facts: Readonly<Record<string, Json>>
}

export type Entry =
  | HeaderEntry
  | SegmentEntry
  | RouterEntry
  | StepEntry
  | GroupEntry
  | PeerEntry
  | PeerEventEntry
  | CheckEntry
  | CheckResultEntry
  | GapEntry
  | GapEndEntry
  | NoteEntry

const time = ['time', text] as const
const at = ['at_ms', number] as const

const awaited: Codec<Awaited> = word('connection', 'answer')

const silence = shape<Silence>({
  count: ['count', number],
  since: ['since_ms', number],
  firstAt: ['first_at_ms', number],
  lastAt: ['last_at_ms', number]
})

export const peerStatusCodec: Codec<PeerStatus> = shape<PeerStatus>({
  fails: ['fails', number],
  accessedAt: ['accessed_at_ms', number],
  checkedAt: ['checked_at_ms', number],
  cause: ['cause', word('connect', 'silent', 'answer')],
  unconnected: ['unconnected', silence],
  unanswered: ['unanswered', silence],
  isDown: ['is_down', flag]
})

type Learned<Name extends PeerEvent['kind']> = Extract<PeerEvent, { readonly kind: Name }>

const peerEvent = oneOf<'kind', PeerEvent>('kind', {
  failed: shape<Learned<'failed'>>({
    kind: ['kind', word('failed')],
    at,
    cause: ['cause', word('connect', 'answer')]
  }),
  succeeded: shape<Learned<'succeeded'>>({
    kind: ['kind', word('succeeded')],
    at,
    startedAt: ['started_at_ms', number]
  }),
  trusted: shape<Learned<'trusted'>>({ kind: ['kind', word('trusted')] }),
  probed: shape<Learned<'probed'>>({ kind: ['kind', word('probed')], at }),
  abandoned: shape<Learned<'abandoned'>>({
    kind: ['kind', word('abandoned')],
    at,
    since: ['since_ms', number],
    awaited: ['awaited', awaited]
  }),
  heard: shape<Learned<'heard'>>({
    kind: ['kind', word('heard')],
    at,
    awaited: ['awaited', awaited]
  }),
  recovered: shape<Learned<'recovered'>>({ kind: ['kind', word('recovered')] }),
  checked: shape<Learned<'checked'>>({
    kind: ['kind', word('checked')],
    isUp: ['is_up', flag]
  })
})

export const checkStatusCodec: Codec<CheckStatus> = shape<CheckStatus>({
  isUp: ['is_up', nullable(flag)],
  contradictions: ['contradictions', number]
})

const state = ['state', stateCodec] as const
const reason = ['reason', reasonCodec] as const
const begins = ['begins', flag] as const

const entryCodec: Codec<Entry> = oneOf<'type', Entry>('type', {
  header: shape<HeaderEntry>({
    type: ['type', word('header')],
    time,
    at,
    format: ['format', word(RECORDING_FORMAT)],
    version: ['tsha', text],
    role: ['role', nullable(text)],
    routerId: ['router_id', text],
    pid: ['pid', number]
  }),
  segment: shape<SegmentEntry>({
    type: ['type', word('segment')],
    time,
    at,
    number: ['number', number]
  }),
  'virtual-router': shape<RouterEntry>({
    type: ['type', word('virtual-router')],
    time,
    at,
    begins,
    settings: ['settings', settingsCodec],
    state
  }),
  step: shape<StepEntry>({
    type: ['type', word('step')],
    time,
    at,
    router: ['virtual_router', text],
    event: ['event', eventCodec],
    state,
    reason,
    actions: ['actions', list(actionCodec)]
  }),
  'sync-group': shape<GroupEntry>({
    type: ['type', word('sync-group')],
    time,
    at,
    group: ['sync_group', text],
    stepped: ['stepped', nullable(number)],
    reason,
    members: ['members', list(memberCodec)],
    orders: ['orders', list(orderCodec)]
  }),
  peer: shape<PeerEntry>({
    type: ['type', word('peer')],
    time,
    at,
    peer: ['peer', text],
    begins,
    rules: [
      'rules',
      shape<FailureRules>({
        maxFails: ['max_fails', number],
        failTimeoutMs: ['fail_timeout_ms', number],
        recovery: ['recovery', word('probe', 'request')]
      })
    ],
    status: ['status', peerStatusCodec]
  }),
  'peer-event': shape<PeerEventEntry>({
    type: ['type', word('peer-event')],
    time,
    at,
    peer: ['peer', text],
    event: ['event', peerEvent],
    status: ['status', peerStatusCodec],
    detail: ['detail', text]
  }),
  check: shape<CheckEntry>({
    type: ['type', word('check')],
    time,
    at,
    check: ['check', text],
    begins,
    rules: ['rules', shape<Hysteresis>({ rise: ['rise', number], fall: ['fall', number] })],
    status: ['status', checkStatusCodec]
  }),
  'check-result': shape<CheckResultEntry>({
    type: ['type', word('check-result')],
    time,
    at,
    check: ['check', text],
    passed: ['passed', flag],
    status: ['status', checkStatusCodec],
    detail: ['detail', text]
  }),
  gap: shape<GapEntry>({ type: ['type', word('gap')], time, at, subject: ['subject', text] }),
  'gap-end': shape<GapEndEntry>({
    type: ['type', word('gap-end')],
    time,
    at,
    subject: ['subject', text],
    missed: ['missed', number]
  }),
  note: shape<NoteEntry>({
    type: ['type', word('note')],
    time,
    at,
    topic: ['topic', word(...NOTE_TOPICS)],
    subject: ['subject', nullable(text)],
    facts: ['facts', facts]
  })
})

export function lineOf(entry: Entry): string {
  return JSON.stringify(entryCodec.encode(entry))
}

/** An entry with its place in the file, from 1. */
export interface Placed {
  readonly line: number
  readonly entry: Entry
}

export interface FileProblem {
  readonly line: number
  readonly message: string
}

/** More are only counted. */
const MOST_PROBLEMS = 20

/** Reads a recording; an empty last line is none. */
export function parseRecording(content: string): {
  readonly entries: readonly Placed[]
  readonly problems: readonly FileProblem[]
} {
  const entries: Placed[] = []
  const problems: FileProblem[] = []
  let more = 0
  const lines = content.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const tell = (line: number, message: string): void => {
    if (problems.length < MOST_PROBLEMS) problems.push({ line, message })
    else more += 1
  }
  lines.forEach((json, i) => {
    const line = i + 1
    try {
      entries.push({ line, entry: entryCodec.decode(JSON.parse(json)) })
    } catch (error) {
      if (error instanceof DecodeError) tell(line, error.message)
      else if (error instanceof SyntaxError) tell(line, 'found no JSON, expected one JSON object')
      else throw error
    }
  })
  const [first] = entries
  if (lines.length === 0) tell(1, 'the file is empty, expected a recording of tsha')
  else if (first?.line === 1 && first.entry.type !== 'header') {
    tell(1, `found ${first.entry.type}, expected the header of a recording`)
  }
  if (more > 0) problems.push({ line: lines.length, message: `${more} more lines cannot be read` })
  return { entries, problems }
}
