import { step } from '../../src/vrrp/machine.js'
import {
  REASONS,
  type BackupState,
  type Event,
  type MasterState,
  type Reason,
  type State,
  type VirtualRouter
} from '../../src/vrrp/model.js'
import { PAIR_MASTER } from './router.js'

/** A state as the drawing has it: handing over is a part of Master with a life of its own. */
type Node = 'Initialize' | 'Fault' | 'Backup' | 'Master' | 'HandingOver'

/** A way that the machine can go, found by going it. */
interface Edge {
  readonly from: Node
  readonly to: Node
  readonly reason: Reason
}

const ORDER: readonly Node[] = ['Initialize', 'Fault', 'Backup', 'Master', 'HandingOver']

/** Time of every event; deadlines lie around it. */
const NOW = 100_000

/**
 * All that the machine does to a set of states that stands for all of them: for each kind of router,
 * each state with its fields on both sides of every comparison, and each event.
 */
function explore(): readonly Edge[] {
  const edges = new Map<string, Edge>()
  for (const router of ROUTERS) {
    for (const state of statesOf(router)) {
      for (const event of EVENTS) {
        const { state: next, reason } = step(router, state, event, NOW)
        if (reason === null) continue
        const edge = { from: nodeOf(state), to: nodeOf(next), reason }
        edges.set(Object.values(edge).join(' '), edge)
      }
    }
  }
  return [...edges.values()].sort(
    (a, b) =>
      ORDER.indexOf(a.from) - ORDER.indexOf(b.from) ||
      ORDER.indexOf(a.to) - ORDER.indexOf(b.to) ||
      REASONS.indexOf(a.reason) - REASONS.indexOf(b.reason)
  )
}

/** The drawing, and the table of what happens within a state, as Markdown. */
export function drawStateMachine(): string {
  const edges = explore()
  const moves = edges.filter(({ from, to }) => from !== to)
  const inner = edges.filter(({ from, to }) => from === to)
  const labels = new Map<string, string[]>()
  for (const { from, to, reason } of moves) {
    const key = `${from} --> ${to}`
    labels.set(key, [...(labels.get(key) ?? []), reason])
  }
  return [
    '```mermaid',
    'stateDiagram-v2',
    '    [*] --> Initialize',
    ...[...labels].map(([key, reasons]) => `    ${key}: ${reasons.join('<br>')}`),
    '```',
    '',
    '| in | what is told without a change of state |',
    '|---|---|',
    ...ORDER.flatMap((node) => {
      const reasons = inner.filter(({ from }) => from === node).map(({ reason }) => reason)
      return reasons.length > 0
        ? [`| ${node} | ${reasons.map((r) => `\`${r}\``).join(', ')} |`]
        : []
    })
  ].join('\n')
}

/** The reasons that the exploration came upon. */
export function reasonsFound(): ReadonlySet<Reason> {
  return new Set(explore().map(({ reason }) => reason))
}

function nodeOf(state: State): Node {
  switch (state.name) {
    case 'initialize':
      return 'Initialize'
    case 'fault':
      return 'Fault'
    case 'backup':
      return 'Backup'
    case 'master':
      return state.handOver ? 'HandingOver' : 'Master'
  }
}

const ROUTERS: readonly VirtualRouter[] = [
  PAIR_MASTER,
  { ...PAIR_MASTER, makesBeforeBreak: false },
  { ...PAIR_MASTER, preempts: false },
  { ...PAIR_MASTER, preemptDelay: 5000 },
  { ...PAIR_MASTER, isGrouped: true },
  { ...PAIR_MASTER, isOwner: true },
  { ...PAIR_MASTER, version: 3 }
]

const DEADLINES = [NOW - 60_000, NOW - 1500, NOW, NOW + 1]

function statesOf(router: VirtualRouter): readonly State[] {
  const priorities = router.isOwner ? [255, 254] : [100]
  return priorities.flatMap((priority) =>
    [true, false].flatMap((serviceUp): State[] => [
      { name: 'initialize', priority, serviceUp },
      { name: 'fault', priority, serviceUp, cause: 'link' },
      ...backups({ priority, serviceUp }),
      ...masters({ priority, serviceUp })
    ])
  )
}

function backups(conditions: { priority: number; serviceUp: boolean }): readonly BackupState[] {
  return DEADLINES.flatMap((masterDownAt) =>
    [true, false].flatMap((flag) =>
      [null, NOW, NOW + 1].map((preemptAt): BackupState => ({
        name: 'backup',
        ...conditions,
        masterDownAt,
        masterResigned: flag,
        masterAdverInterval: 1000,
        preemptAt,
        wantsMaster: flag
      }))
    )
  )
}

function masters(conditions: { priority: number; serviceUp: boolean }): readonly MasterState[] {
  const handOvers = [
    null,
    ...DEADLINES.flatMap((until) => [
      { until, goal: 'backup', priority: 100, lastWordsUntil: NOW } as const,
      { until, goal: 'initialize', priority: 100, lastWordsUntil: NOW } as const
    ])
  ]
  const rivals = [null, { patience: 0, adverInterval: 1000, watchedUntil: NOW + 1 }]
  return DEADLINES.flatMap((adverAt) =>
    handOvers.flatMap((handOver) =>
      rivals.map((rival): MasterState => ({
        name: 'master',
        ...conditions,
        adverAt,
        answerAt: NOW,
        secondBurst: null,
        refreshAt: null,
        handOver,
        rival
      }))
    )
  )
}

const ADVERTS: readonly Event[] = [0, 90, 100, 110, 254, 255].flatMap((priority) =>
  ['192.168.64.9', PAIR_MASTER.primaryAddress, '192.168.64.134'].flatMap((source) =>
    [1000, 2000].map((adverInterval): Event => ({
      kind: 'advertisement',
      priority,
      source,
      adverInterval
    }))
  )
)

const EVENTS: readonly Event[] = [
  { kind: 'startup' },
  { kind: 'shutdown' },
  { kind: 'timer' },
  ...ADVERTS,
  { kind: 'conditions', conditions: { priority: 100, serviceUp: true } },
  { kind: 'conditions', conditions: { priority: 80, serviceUp: false } },
  { kind: 'fault', cause: 'link' },
  { kind: 'fault-cleared' },
  { kind: 'addresses-lost' },
  { kind: 'announce-again', announcement: 'mastery' },
  { kind: 'group-master' },
  { kind: 'group-backup' }
]
