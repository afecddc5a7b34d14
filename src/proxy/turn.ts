/**
 * One turn of the event loop: the handlers of everything that was ready when the kernel was asked.
 * Under load that is many requests, for which some things need to be done only once.
 */

let jobs: (() => void)[] = []

/** Calls `job` when everything that is ready now has been handled, before the kernel is asked again. */
export function atEndOfTurn(job: () => void): void {
  if (jobs.length === 0) setImmediate(endTurn)
  jobs.push(job)
}

function endTurn(): void {
  const due = jobs
  jobs = []
  for (const job of due) job()
}
