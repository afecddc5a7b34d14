import type { LeavingRouter, Outcome } from './leaving-router.js'

/** `the addresses are with 192.0.2.2`, or that nobody is known to have them. */
export function whereItIs({ state, lastHeard }: LeavingRouter): string {
  if (state.name === 'master') return 'the addresses are here'
  if (lastHeard === null) return 'nobody was heard to have the addresses'
  if (lastHeard.priority === 0) return `${lastHeard.source}, who had the addresses, gave them up`
  return `the addresses are with ${lastHeard.source}`
}

/** What came of one that was to give its addresses away. @param now ms of CLOCK_MONOTONIC */
export function outcomeLine(router: LeavingRouter, outcome: Outcome, now: number): string {
  const { name, state } = router
  switch (outcome) {
    case 'gone':
      return state.name === 'fault'
        ? `${name}: gave its addresses up, and is in fault (${state.cause})`
        : `${name}: ${whereItIs(router)} now`
    case 'open':
      return `${name}: the partner has not answered yet; this director holds the addresses until it does`
    case 'stays':
    case 'untouched':
      return (
        `${name}: nobody took over: this director goes on serving, with priority ${state.priority}` +
        `; ${sinceHeard(router, now)}`
      )
  }
}

/** The same where the proxy is being stopped, so that a master that goes on serves nobody. */
export function outcomeWithoutProxy(router: LeavingRouter, outcome: Outcome, now: number): string {
  switch (outcome) {
    case 'gone':
      return outcomeLine(router, outcome, now)
    case 'untouched':
      return `${router.name}: the state of the proxy changes nothing here: its addresses stay`
    case 'open':
    case 'stays':
      return (
        `${router.name}: nobody took over: the addresses stay here, and clients are refused; ` +
        sinceHeard(router, now)
      )
  }
}

/** When a partner was heard last. A backup that is well says nothing, so this proves little. */
export function sinceHeard({ lastHeard }: LeavingRouter, now: number): string {
  if (lastHeard === null) return 'no partner was heard since the start'
  const seconds = Math.round((now - lastHeard.at) / 1000)
  return `${lastHeard.source} was heard last, ${seconds} s ago`
}

/** What one that may take part as configured again will do. */
export function prospect(router: LeavingRouter): string {
  const { config, state, lastHeard } = router
  const { priority } = state
  switch (state.name) {
    case 'master':
      return `it is master, with priority ${priority}`
    case 'initialize':
      return 'it takes no part in the election yet'
    case 'fault':
      return `it is in fault (${state.cause}) and takes no part in the election`
    case 'backup':
      break
  }
  if (lastHeard === null || lastHeard.priority === 0)
    return `it is backup, with priority ${priority}`
  const { source } = lastHeard
  const isWeaker = lastHeard.priority < priority
  if (!isWeaker)
    return `it stays backup: ${source} has priority ${lastHeard.priority}, and it ${priority}`
  if (!config.preempt) return `it stays backup, as nopreempt has it; ${whereItIs(router)}`
  if (!state.serviceUp) return `it stays backup: a check of its own fails; ${whereItIs(router)}`
  const delay = config.preemptDelayMs === 0 ? '' : ` after ${config.preemptDelayMs / 1000} s`
  return `it takes the addresses back from ${source}${delay}: ${priority} is more than ${lastHeard.priority}`
}
