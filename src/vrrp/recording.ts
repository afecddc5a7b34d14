import { flag, list, nullable, number, oneOf, shape, text, word, type Codec } from './json-codec.js'
import {
  REASONS,
  type Action,
  type AnnouncementKind,
  type AnnouncementTimes,
  type BackupState,
  type Conditions,
  type ElectionSettings,
  type Event,
  type FaultCause,
  type FaultState,
  type HandOver,
  type HeardEvent,
  type InitializeState,
  type MasterState,
  type Reason,
  type Rival,
  type State
} from './model.js'
import type { GroupMember, GroupOrder } from './sync-group.js'

/**
 * The values of an election as a recording has them. Instants are milliseconds of CLOCK_MONOTONIC and
 * end in `_at_ms` or `_until_ms`; durations end in `_ms`.
 */

const announcement: Codec<AnnouncementKind> = word('mastery', 'refresh', 'lower-priority')

const faultCause: Codec<FaultCause> = word(
  'link',
  'addresses',
  'tracker',
  'group',
  'source-address'
)

export const reasonCodec: Codec<Reason | null> = nullable(word(...REASONS))

export const settingsCodec: Codec<ElectionSettings> = shape<ElectionSettings>({
  name: ['name', text],
  vrid: ['vrid', number],
  version: ['version', word(2, 3)],
  family: ['family', word('ipv4', 'ipv6')],
  adverInterval: ['advert_interval_ms', number],
  downTimerAdverts: ['down_timer_adverts', number],
  primaryAddress: ['primary_address', text],
  addresses: ['addresses', list(text)],
  preempts: ['preempts', flag],
  preemptDelay: ['preempt_delay_ms', number],
  isOwner: ['is_owner', flag],
  ignoresAdverts: ['ignores_adverts', flag],
  startsAsMaster: ['starts_as_master', flag],
  answersLowerPriority: ['answers_lower_priority', flag],
  yieldsWithAdvert: ['yields_with_advert', flag],
  announcements: [
    'announcements',
    shape<AnnouncementTimes>({
      delay: ['delay_ms', number],
      refresh: ['refresh_ms', number],
      lowerPriorityDelay: ['lower_priority_delay_ms', number]
    })
  ],
  makesBeforeBreak: ['makes_before_break', flag],
  isGrouped: ['is_grouped', flag]
})

const priority = ['priority', number] as const
const serviceUp = ['service_up', flag] as const

const handOver = shape<HandOver>({
  goal: ['goal', word('backup', 'initialize')],
  until: ['until_ms', number],
  priority,
  lastWordsUntil: ['last_words_until_ms', number]
})

const rival = shape<Rival>({
  patience: ['patience', number],
  adverInterval: ['advert_interval_ms', number],
  watchedUntil: ['watched_until_ms', nullable(number)]
})

export const stateCodec: Codec<State> = oneOf<'name', State>('name', {
  initialize: shape<InitializeState>({ name: ['name', word('initialize')], priority, serviceUp }),
  fault: shape<FaultState>({
    name: ['name', word('fault')],
    priority,
    serviceUp,
    cause: ['cause', faultCause]
  }),
  backup: shape<BackupState>({
    name: ['name', word('backup')],
    priority,
    serviceUp,
    masterDownAt: ['master_down_at_ms', number],
    masterResigned: ['master_resigned', flag],
    masterAdverInterval: ['master_advert_interval_ms', number],
    preemptAt: ['preempt_at_ms', nullable(number)],
    wantsMaster: ['wants_master', flag]
  }),
  master: shape<MasterState>({
    name: ['name', word('master')],
    priority,
    serviceUp,
    adverAt: ['advert_at_ms', number],
    answerAt: ['answer_at_ms', number],
    secondBurst: [
      'second_burst',
      nullable(
        shape<{ readonly at: number; readonly kind: AnnouncementKind }>({
          at: ['at_ms', number],
          kind: ['kind', announcement]
        })
      )
    ],
    refreshAt: ['refresh_at_ms', nullable(number)],
    handOver: ['hand_over', nullable(handOver)],
    rival: ['rival', nullable(rival)]
  })
})

type Kind<Name extends Event['kind']> = Extract<Event, { readonly kind: Name }>

function bare<Name extends Event['kind']>(name: Name): Codec<{ readonly kind: Name }> {
  return shape<{ readonly kind: Name }>({ kind: ['kind', word<Name>(name)] })
}

export const eventCodec: Codec<Event> = oneOf<'kind', Event>('kind', {
  startup: bare('startup'),
  shutdown: bare('shutdown'),
  timer: bare('timer'),
  advertisement: shape<HeardEvent>({
    kind: ['kind', word('advertisement')],
    priority,
    source: ['source', text],
    adverInterval: ['advert_interval_ms', number]
  }),
  conditions: shape<Kind<'conditions'>>({
    kind: ['kind', word('conditions')],
    conditions: ['conditions', shape<Conditions>({ priority, serviceUp })]
  }),
  fault: shape<Kind<'fault'>>({ kind: ['kind', word('fault')], cause: ['cause', faultCause] }),
  'fault-cleared': bare('fault-cleared'),
  'addresses-lost': bare('addresses-lost'),
  'announce-again': shape<Kind<'announce-again'>>({
    kind: ['kind', word('announce-again')],
    announcement: ['announcement', announcement]
  }),
  'group-master': bare('group-master'),
  'group-backup': bare('group-backup')
})

const ADVERTISE = 'advertise '
const ANNOUNCE = 'announce '

/** In short: `advertise 100`, `add-addresses`, `announce mastery`. */
export const actionCodec: Codec<Action> = {
  encode: (action) => {
    switch (action.kind) {
      case 'advertise':
        return `${ADVERTISE}${action.priority}`
      case 'announce':
        return `${ANNOUNCE}${action.announcement}`
      default:
        return action.kind
    }
  },
  decode: (json) => {
    const action = text.decode(json)
    if (action.startsWith(ADVERTISE)) {
      return { kind: 'advertise', priority: Number(action.slice(ADVERTISE.length)) }
    }
    if (action.startsWith(ANNOUNCE)) {
      return { kind: 'announce', announcement: announcement.decode(action.slice(ANNOUNCE.length)) }
    }
    return { kind: word('add-addresses', 'remove-addresses').decode(action) }
  }
}

export const memberCodec: Codec<GroupMember & { readonly name: string }> = shape<
  GroupMember & { readonly name: string }
>({
  name: ['name', text],
  hasFault: ['has_fault', flag],
  state: ['state', stateCodec]
})

export const orderCodec: Codec<GroupOrder> = shape<GroupOrder>({
  member: ['member', number],
  event: ['event', eventCodec as Codec<GroupOrder['event']>]
})
