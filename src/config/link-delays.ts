import type { Findings } from './findings.js'
import type { LinkDelay } from './model.js'
import type { RawRouter } from './raw-router.js'
import { entriesOf, memberOf } from './source.js'
import { formatDuration, parseDuration } from './units.js'

/** What bounds the delay of a virtual router's own interface. */
interface LinkDelayBound {
  readonly advertIntervalMs: number
  readonly downTimerAdverts: number
}

/**
 * The longest delay before a virtual router's own interface counts as down (keepalived's
 * check_debounce_timers): a backup that hears nothing because its link is down must know so before its
 * Master_Down_Timer ends.
 */
function longestLinkDelayMs({ advertIntervalMs, downTimerAdverts }: LinkDelayBound): number {
  if (downTimerAdverts === 1) return 0
  return Math.floor((downTimerAdverts - 1) * advertIntervalMs - advertIntervalMs / 256)
}

/**
 * A delay within the bounds of every virtual router on its interface. As in keepalived the delay of
 * coming up is bounded only where it is the same one.
 */
export function boundedLinkDelay(delay: LinkDelay, bounds: readonly LinkDelayBound[]): LinkDelay {
  const longest = Math.min(...bounds.map(longestLinkDelayMs))
  if (delay.downMs <= longest) return delay
  const upMs = longest === 0 || delay.upMs === delay.downMs ? longest : delay.upMs
  return { ...delay, downMs: longest, upMs }
}

/** Reports delays that are too long; keepalived shortens them with a message. */
export function checkLinkDelays(
  value: unknown,
  routers: readonly RawRouter[],
  findings: Findings
): void {
  for (const [name, delays] of entriesOf(memberOf(value, 'link_delays'))) {
    const written = memberOf(delays, 'down')
    const downMs = typeof written === 'string' ? parseDuration(written) : undefined
    if (downMs === undefined) continue
    for (const router of routers) {
      const longest = longestLinkDelayMs(router)
      if (memberOf(router.value, 'interface') !== name || downMs <= longest) continue
      findings.problemIfStrict(
        'TSHA_E_VALUE',
        `${findings.labelOf(['link_delays', name, 'down'], 'down')} ${formatDuration(downMs)} of ${name}: virtual router ${router.name} would take its master for dead ` +
          `before it knows that its own link is down; ${findings.isStrict ? 'use' : 'it is'} ${formatDuration(longest)}${findings.isStrict ? ' or less' : ', as in keepalived'}`,
        ['link_delays', name, 'down']
      )
    }
  }
}
