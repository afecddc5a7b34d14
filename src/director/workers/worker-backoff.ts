/** A worker that ran this long was well: what kills it then is no crash loop. */
const STABLE_MS = 10_000
const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 3000

/** How often the worker of one slot has died young. */
export interface Backoff {
  readonly youngDeaths: number
}

export const FRESH: Backoff = { youngDeaths: 0 }

/**
 * What to do about a worker that died after `livedMs`: the first death is answered at once, each
 * further young one after twice the time, up to 3 s.
 */
export function afterDeath(
  backoff: Backoff,
  livedMs: number
): { readonly backoff: Backoff; readonly delayMs: number } {
  if (livedMs >= STABLE_MS) return { backoff: { youngDeaths: 1 }, delayMs: 0 }
  const { youngDeaths } = backoff
  const delayMs = youngDeaths === 0 ? 0 : FIRST_DELAY_MS * 2 ** (youngDeaths - 1)
  return {
    backoff: { youngDeaths: youngDeaths + 1 },
    delayMs: Math.min(delayMs, LONGEST_DELAY_MS)
  }
}
