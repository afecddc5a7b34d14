import type { VirtualRouterConfig } from '../../config/model.js'
import { handOverWait } from '../../vrrp/timing.js'
import type { LeavingRouter, Outcome } from './leaving-router.js'

/** How much longer than it should take an outcome is awaited. */
const MARGIN_MS = 500
/** No answer to a command waits longer. */
const MOST_WAIT_MS = 6000

/** `ip` takes milliseconds, and longer on a busy machine. */
const REMOVAL_WAIT_MS = 1000

/** A virtual router whose departure can be awaited. */
export interface DepartingRouter extends LeavingRouter {
  /** Resolves when the addresses are on the interface, or off it, as the state wants. */
  settled(): Promise<void>
}

/** The elections, as far as they are needed to await an outcome. */
export interface LeavingElections {
  readonly routers: readonly DepartingRouter[]
  until(isTrue: () => boolean, timeoutMs: number): Promise<boolean>
}

/**
 * Does something that should end the mastership of some virtual routers, and waits for what comes of
 * it, for a bounded time: a hand-over to be answered, or a partner to preempt, and the addresses to be
 * off the interface.
 *
 * @param names of those that are master now
 */
export async function departure(
  names: readonly string[],
  elections: LeavingElections,
  act: () => void
): Promise<ReadonlyMap<string, Outcome>> {
  const routerOf = (name: string): DepartingRouter | undefined =>
    elections.routers.find((router) => router.name === name)
  const before = new Map(names.map((name) => [name, routerOf(name)?.state.priority ?? 0]))
  act()
  const offered = names.filter((name) => routerOf(name)?.isHandingOver === true)
  const lowered = names.filter((name) => {
    const router = routerOf(name)
    if (router?.state.name !== 'master' || router.isHandingOver) return false
    return router.state.priority < (before.get(name) ?? 0)
  })
  const isOpen = (name: string): boolean => {
    const router = routerOf(name)
    if (router?.state.name !== 'master') return false
    return offered.includes(name) ? router.isHandingOver : lowered.includes(name)
  }
  const waits = [
    ...offered.map((name) => waitForAnswer(routerOf(name)?.config)),
    ...lowered.map((name) => waitForPreemption(routerOf(name)?.config))
  ]
  await elections.until(() => !names.some(isOpen), Math.min(MOST_WAIT_MS, Math.max(0, ...waits)))
  const gone = names.flatMap((name) => routerOf(name) ?? [])
  const removals = gone.filter(({ state }) => state.name !== 'master').map((each) => each.settled())
  await atMost(REMOVAL_WAIT_MS, Promise.all(removals))
  return new Map(
    names.map((name) => {
      if (routerOf(name)?.state.name !== 'master') return [name, 'gone']
      if (offered.includes(name)) return [name, isOpen(name) ? 'open' : 'stays']
      return [name, lowered.includes(name) ? 'stays' : 'untouched']
    })
  )
}

async function atMost(timeoutMs: number, what: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => (timer = setTimeout(resolve, timeoutMs)))
  await Promise.race([what, late])
  clearTimeout(timer)
}

function waitForAnswer(config: VirtualRouterConfig | undefined): number {
  if (config === undefined) return 0
  const { version, advertIntervalMs: adverInterval } = config
  return handOverWait({ version, adverInterval }) + MARGIN_MS
}

/** Longer than the Master_Down_Interval of any partner. */
function waitForPreemption(config: VirtualRouterConfig | undefined): number {
  if (config === undefined) return 0
  const { version, downTimerAdverts, advertIntervalMs } = config
  const longestSkewTime = version === 3 ? advertIntervalMs : 1000
  return downTimerAdverts * advertIntervalMs + longestSkewTime + MARGIN_MS
}
