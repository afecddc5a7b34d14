import { Random } from '../fuzz/random.js'
import { FAULTS, FRAMINGS, GROUPS, MAX_UPLOAD, type FaultKind, type Plan } from './plan.js'

/** How a client behaves; all but the first are faults of its own. */
export type MannerKind =
  | 'plain'
  /** Leaves: before it has said anything, in its head, in its body, while it waits, in the response. */
  | 'abort-connected'
  | 'abort-head'
  | 'abort-upload'
  | 'abort-waiting'
  | 'abort-response'
  /** Ends its side once it has asked. */
  | 'half-close'
  | 'slow-reader'
  /** Does not read for longer than `send_timeout`. */
  | 'stalled-reader'
  | 'slow-writer'

/** A behaviour, and where it begins in thousandths of what is sent or read. */
export interface Manner {
  readonly kind: MannerKind
  readonly at: number
}

/** What is asked on one connection in one go. */
export interface Errand {
  /** More than one are pipelined. */
  readonly plans: readonly [Plan, ...Plan[]]
  readonly manner: Manner
  /** Whether it needs a connection of its own. */
  readonly isFresh: boolean
}

/** What traffic is drawn from. Pure. */
export interface Mix {
  readonly seed: number
  /** Without any fault, on either side. */
  readonly isCalm: boolean
}

const KIB = 1024
const SMALL_UPLOAD = 4 * KIB
const PLAIN: Manner = { kind: 'plain', at: 0 }
const EVERYBODY = 0b111

/** The errand whose first request has this id; its others have the next ids. */
export function drawErrand(mix: Mix, id: number): Errand {
  const random = Random.ofCase(mix.seed, id)
  const isFresh = random.below(100) < 15
  if (random.below(100) < 4) return { plans: pipelined(mix, random, id), manner: PLAIN, isFresh }
  const plan = drawPlan(mix, random, id)
  const manner = mix.isCalm ? PLAIN : drawManner(random, plan)
  return { plans: [plan], manner, isFresh: isFresh || manner.kind === 'abort-connected' }
}

function pipelined(mix: Mix, random: Random, id: number): [Plan, ...Plan[]] {
  const plans: [Plan, ...Plan[]] = [smallOne(mix, random, id)]
  const count = 2 + random.below(7)
  while (plans.length < count) plans.push(smallOne(mix, random, id + plans.length))
  return plans
}

/** Mostly a GET, sometimes with a body that leaves together with its head. */
function smallOne(mix: Mix, random: Random, id: number): Plan {
  const get = plainGet(random, id)
  if (random.below(6) > 0) return withFault(mix, random, get)
  const upload = random.below(SMALL_UPLOAD)
  const uploadFraming = random.pick<Plan['uploadFraming']>(['length', 'chunked'])
  const method = random.pick<Plan['method']>(['POST', 'PUT'])
  return withFault(mix, random, { ...get, method, upload, uploadFraming })
}

function plainGet(random: Random, id: number): Plan {
  return {
    id,
    group: random.pick(GROUPS),
    method: 'GET',
    minorVersion: 1,
    status: 200,
    size: random.below(2 * KIB),
    framing: random.pick(FRAMINGS),
    isEvents: false,
    upload: null,
    uploadFraming: 'length',
    expectsContinue: false,
    fault: null
  }
}

function drawPlan(mix: Mix, random: Random, id: number): Plan {
  const get = plainGet(random, id)
  const kind = random.below(1000)
  if (kind < 600) return withFault(mix, random, get)
  if (kind < 740) return withFault(mix, random, { ...get, size: 16 * KIB })
  if (kind < 780) return withFault(mix, random, { ...get, size: largeSize(random) })
  if (kind < 800) return withFault(mix, random, { ...get, minorVersion: 0 })
  if (kind < 840) return withFault(mix, random, { ...get, method: 'HEAD' })
  if (kind < 880) return withFault(mix, random, { ...get, status: 304, framing: 'length' })
  if (kind < 890) {
    return withFault(mix, random, { ...get, framing: 'chunked', isEvents: true, size: 4 * KIB })
  }
  return withFault(mix, random, {
    ...get,
    method: random.pick(['POST', 'POST', 'PUT']),
    upload: uploadSize(random),
    uploadFraming: random.pick(['length', 'chunked']),
    expectsContinue: random.below(5) === 0
  })
}

/** 16 KiB to 4 MiB, each doubling as likely as the others. */
function largeSize(random: Random): number {
  return Math.floor(16 * KIB * 2 ** (random.below(8000) / 1000))
}

/** Mostly small; at most 2 MiB, but for the few that are too large. */
function uploadSize(random: Random): number {
  const kind = random.below(100)
  if (kind < 5) return 0
  if (kind < 60) return 1 + random.below(4 * KIB)
  if (kind < 98) return Math.floor(4 * KIB * 2 ** (random.below(9000) / 1000))
  return MAX_UPLOAD + 1 + random.below(64 * KIB)
}

/** One request in 25 has a fault; one fault in 20 is at all servers, so that nobody can help. */
function withFault(mix: Mix, random: Random, plan: Plan): Plan {
  if (mix.isCalm || random.below(25) > 0) return plan
  const who = random.below(20) === 0 ? EVERYBODY : 1 << random.below(3)
  return { ...plan, fault: { kind: drawFault(random, plan), at: random.below(1000), who } }
}

/** Few requests have a body: those that do shall often be answered before it is there. */
function drawFault(random: Random, plan: Plan): FaultKind {
  if (plan.upload !== null && random.oneIn(3)) return random.pick(['early', 'early-end'])
  for (;;) {
    const kind = random.pick(FAULTS)
    if (isPossible(plan, kind)) return kind
  }
}

/** A body that ends with its connection is whole for everybody when that ends: that is no fault to see. */
function isPossible(plan: Plan, kind: FaultKind): boolean {
  switch (kind) {
    case 'reset-body':
    case 'stall-body':
    case 'drip':
      return plan.size > 1 && plan.method !== 'HEAD' && plan.status === 200
    case 'end-body':
      return plan.size > 1 && hasBody(plan) && plan.framing !== 'close'
    case 'garbage-chunk':
      return plan.size > 1 && hasBody(plan) && plan.framing === 'chunked'
    case 'early':
    case 'early-end':
      return plan.upload !== null
    case 'status-503':
      return plan.status === 200
    case 'garbage-after':
      return plan.framing !== 'close' || !hasBody(plan)
    default:
      return true
  }
}

function hasBody({ method, status }: Plan): boolean {
  return method !== 'HEAD' && status === 200
}

/** One client in 20 is no good one. */
function drawManner(random: Random, plan: Plan): Manner {
  if (random.below(20) > 0) return PLAIN
  const at = random.below(1000)
  if (plan.upload !== null) {
    return { kind: random.pick(['abort-upload', 'slow-writer', 'abort-waiting', 'half-close']), at }
  }
  if (plan.size > 256 * KIB) {
    return { kind: random.pick(['abort-response', 'slow-reader', 'stalled-reader']), at }
  }
  const kind = random.pick<MannerKind>([
    'abort-connected',
    'abort-head',
    'abort-waiting',
    'abort-response',
    'half-close',
    'slow-writer',
    'slow-reader'
  ])
  return { kind, at }
}
