/** One request of a client, as it saw it. */
export interface RequestResult {
  /** When it was started, in milliseconds since the epoch. */
  readonly at: number
  /** Until the whole answer was there, or until it failed. */
  readonly ms: number
  /** A complete answer with status 200. */
  readonly ok: boolean
  /** 0 when there was no answer. */
  readonly status: number
  /** The first 200 characters of the body, without the end of line. */
  readonly body: string
  /** Node's error code, or `timeout`; empty when there was an answer. */
  readonly error: string
}

/** What a series of requests was like for their client. */
export interface LoadSummary {
  readonly total: number
  readonly failed: number
  /** Kinds of failures with their numbers, such as `ECONNREFUSED`. */
  readonly failures: Readonly<Record<string, number>>
  /** The longest time without an answer: see `longestOutageMs`. */
  readonly outageMs: number
  /** Good answers by their body, such as `This is web1`. */
  readonly answers: Readonly<Record<string, number>>
  /** Of the good answers; 0 when there are none. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Adds up what a client saw. */
export function summarize(results: readonly RequestResult[]): LoadSummary {
  const failures: Record<string, number> = {}
  const answers: Record<string, number> = {}
  const times: number[] = []
  let failed = 0
  for (const result of results) {
    if (result.ok) {
      answers[result.body] = (answers[result.body] ?? 0) + 1
      times.push(result.ms)
    } else {
      failed += 1
      const kind = result.error === '' ? `status ${result.status}` : result.error
      failures[kind] = (failures[kind] ?? 0) + 1
    }
  }
  times.sort((a, b) => a - b)
  return {
    total: results.length,
    failed,
    failures,
    outageMs: longestOutageMs(results),
    answers,
    p50Ms: times[Math.floor(times.length * 0.5)] ?? 0,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
    maxMs: times.at(-1) ?? 0
  }
}

/**
 * The longest time a client was without service: from the start of a request that failed to the
 * earliest good answer to a request that was started later. 0 when nothing failed; failures after
 * which there is no good answer last until the end of the last request.
 */
export function longestOutageMs(results: readonly RequestResult[]): number {
  const ordered = [...results].sort((a, b) => a.at - b.at)
  const end = Math.max(...ordered.map((result) => result.at + result.ms))
  const answeredAt: number[] = []
  let earliest = end
  for (let index = ordered.length - 1; index >= 0; index -= 1) {
    answeredAt[index] = earliest
    const result = ordered[index]
    if (result?.ok) earliest = Math.min(earliest, result.at + result.ms)
  }
  let longest = 0
  let over = -Infinity
  ordered.forEach((result, index) => {
    if (result.ok || result.at < over) return
    over = answeredAt[index] ?? end
    longest = Math.max(longest, over - result.at)
  })
  return longest
}
