import { setTimeout as sleep } from 'node:timers/promises'
import type { Bodies } from '../bodies.js'
import type { Errand } from '../draw.js'
import { Expectation } from './expectation.js'
import { headText, sendBody, wholeText, type Pace } from './request.js'
import type { Session } from './session.js'

const SLOW_PIECE_MS = 30
const SLOW_PIECES = 20
/** Longer than `send_timeout` of the proxy under test. */
const STALL_MS = 8000
const LONGEST_PIECE = 60_000
const MOST_PIECES = 2000
const READ_STEP = 64 * 1024
const READ_PAUSE_MS = 25
/** What `abort-waiting` waits at most. */
const WAIT_SPAN_MS = 400

/** Runs an errand to its end, however that looks; every expectation is settled then. */
export async function runErrand(
  session: Session,
  bodies: Bodies,
  errand: Errand,
  expectations: readonly Expectation[]
): Promise<void> {
  const { manner } = errand
  for (const expectation of expectations) session.expect(expectation)
  watch(session, errand)
  await ask(session, bodies, errand)
  if (manner.kind === 'half-close') session.halfClose()
  if (manner.kind === 'abort-waiting') {
    await sleep((WAIT_SPAN_MS * manner.at) / 1000)
    if (expectations.some(({ outcome }) => outcome === null)) session.leave(isReset(errand))
  }
  await Promise.all(expectations.map(({ settled }) => settled))
  session.onProgress = null
}

/** Whether the client that leaves does so with a reset. */
function isReset({ manner }: Errand): boolean {
  return manner.at % 2 === 0
}

/** Sends the requests, or as much of them as the manner wants. */
async function ask(session: Session, bodies: Bodies, errand: Errand): Promise<void> {
  const { plans, manner } = errand
  const [plan] = plans
  if (plans.length > 1) {
    await session.write(plans.map((each) => wholeText(bodies, each)).join(''))
    return
  }
  const text = headText(plan)
  switch (manner.kind) {
    case 'abort-connected':
      await sleep(manner.at % 20)
      session.leave(isReset(errand))
      return
    case 'abort-head':
      await session.write(text.slice(0, Math.floor((text.length * manner.at) / 1000)))
      await sleep(manner.at % 20)
      session.leave(isReset(errand))
      return
    case 'slow-writer':
      if (!(await writeSlowly(session, text))) return
      break
    default:
      if (!(await session.write(text))) return
  }
  if (plan.upload === null) return
  if (plan.expectsContinue && !(await session.mayContinue())) return
  await sendBody(session, bodies, plan, paceOf(session, errand, plan.upload))
}

async function writeSlowly(session: Session, text: string): Promise<boolean> {
  const step = Math.ceil(text.length / 5)
  for (let at = 0; at < text.length; at += step) {
    if (!(await session.write(text.slice(at, at + step)))) return false
    await sleep(SLOW_PIECE_MS)
  }
  return true
}

function paceOf(session: Session, errand: Errand, size: number): Pace {
  const { manner, plans } = errand
  if (manner.kind === 'slow-writer') {
    const between = (): Promise<boolean> => sleep(SLOW_PIECE_MS, true)
    return { longest: Math.min(LONGEST_PIECE, Math.ceil(size / SLOW_PIECES)), between }
  }
  const varied = 1 + ((plans[0].id * 6007) % LONGEST_PIECE)
  const longest = Math.max(varied, Math.ceil(size / MOST_PIECES))
  if (manner.kind !== 'abort-upload') return { longest, between: () => true }
  const leaveAt = Math.floor((size * manner.at) / 1000)
  return {
    longest: Math.min(longest, Math.max(1, leaveAt)),
    between: (sent) => {
      if (sent < leaveAt) return true
      session.leave(isReset(errand))
      return false
    }
  }
}

/** Reads slowly, stops reading or leaves, as the manner wants it. */
function watch(session: Session, errand: Errand): void {
  const { manner, plans } = errand
  const [{ size }] = plans
  const turnAt = Math.floor((size * manner.at) / 1000)
  let next = turnAt
  switch (manner.kind) {
    case 'abort-response':
      session.onProgress = ({ received }) => {
        if (received >= turnAt) session.leave(isReset(errand))
      }
      break
    case 'slow-reader':
    case 'stalled-reader':
      session.onProgress = ({ received }) => {
        if (received < next) return
        const isStall = manner.kind === 'stalled-reader'
        next = isStall ? Infinity : received + READ_STEP
        session.pause(isStall ? STALL_MS : READ_PAUSE_MS)
      }
      break
    default:
      session.onProgress = null
  }
}
