import { FAILED, observe, UNKNOWN, type CheckStatus, type Hysteresis } from './status.js'

/** One run of a check. */
export interface CheckResult {
  readonly passed: boolean
  /** Why, for the log: `exited with status 1`, `no answer within 2000 ms`. */
  readonly detail: string
  /** True if the check could not be made for want of something of ours: it says nothing of others. */
  readonly isOurs?: boolean
  /** True if the program of the check could not even be started. */
  readonly isUnrunnable?: boolean
}

/**
 * Runs a check once; never rejects, ends by itself within its own timeout, and at once, leaving nothing
 * behind, when `signal` is aborted.
 */
export type CheckRun = (signal: AbortSignal) => Promise<CheckResult>

/** When a check runs, and what changes its status. */
export interface Schedule extends Hysteresis {
  readonly intervalMs: number
  /** Taken for failed until it has passed `rise` times; otherwise the first result counts at once. */
  readonly initFail?: boolean
}

/** Told of every result, with the status before and after it. */
export type OnResult = (before: CheckStatus, result: CheckResult, after: CheckStatus) => void

/**
 * Runs one check regularly: at once when started, then every interval. A run that is still going when
 * the next is due skips that one (keepalived). Tells only changes of the status, and the first result;
 * and once, until it can be run again, that it cannot be run at all.
 */
export class CheckScheduler {
  readonly #run: CheckRun
  readonly #schedule: Schedule
  readonly #onChange: (isUp: boolean, detail: string) => void
  readonly #onUnrunnable: (detail: string) => void
  readonly #onResult: OnResult
  #status: CheckStatus
  /** What is believed until there is a first result. */
  #before: boolean | null = null
  #isUnrunnable = false
  #lastFailure: string | null = null
  #timer: NodeJS.Timeout | null = null
  #isRunning = false
  #isWanted = false
  readonly #abort = new AbortController()

  constructor(
    run: CheckRun,
    schedule: Schedule,
    onChange: (isUp: boolean, detail: string) => void,
    onUnrunnable: (detail: string) => void = () => undefined,
    onResult: OnResult = () => undefined
  ) {
    this.#run = run
    this.#schedule = schedule
    this.#status = schedule.initFail === true ? FAILED : UNKNOWN
    this.#onChange = onChange
    this.#onUnrunnable = onUnrunnable
    this.#onResult = onResult
  }

  get status(): CheckStatus {
    return this.#status
  }

  /** Null until the first result. */
  get isUp(): boolean | null {
    return this.#status.isUp ?? this.#before
  }

  /** Takes the place of another check of the same thing: its result holds until the first one of ours. */
  takeOver(old: CheckScheduler): void {
    old.stop()
    this.#before = old.isUp
    this.#lastFailure = old.#lastFailure
    if (this.#before !== null) this.#status = UNKNOWN
  }

  /** What the last failure said, while the check fails; null while it passes or has not run. */
  get failure(): string | null {
    return this.isUp === false ? this.#lastFailure : null
  }

  start(): void {
    this.#timer = setInterval(() => {
      if (!this.#isRunning) this.#begin()
    }, this.#schedule.intervalMs)
    this.#begin()
  }

  /** Runs the check at once, or once more right after the run that is going on. */
  runNow(): void {
    if (this.#timer === null) return
    if (this.#isRunning) this.#isWanted = true
    else this.#begin()
  }

  /** Ends for good, a run that is going on too; its result is not told. */
  stop(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
    this.#isWanted = false
    this.#abort.abort()
  }

  #begin(): void {
    this.#isRunning = true
    this.#isWanted = false
    this.#run(this.#abort.signal)
      .catch((error: unknown) => ({ passed: false, detail: `could not run: ${String(error)}` }))
      .then((result) => {
        this.#isRunning = false
        if (this.#timer === null) return
        this.#take(result)
        if (this.#isWanted) this.#begin()
      })
      .catch((error: unknown) => {
        // Only an observer that throws gets here: our own bug, which must not pass unseen.
        process.nextTick(() => {
          throw error
        })
      })
  }

  #take(result: CheckResult): void {
    const before = this.#status
    const wasUp = this.isUp
    this.#status = observe(before, result.passed, this.#schedule)
    this.#onResult(before, result, this.#status)
    const wasUnrunnable = this.#isUnrunnable
    this.#isUnrunnable = result.isUnrunnable === true
    if (!result.passed) this.#lastFailure = result.detail
    if (this.#status.isUp !== wasUp) this.#onChange(this.#status.isUp === true, result.detail)
    else if (this.#isUnrunnable && !wasUnrunnable) this.#onUnrunnable(result.detail)
  }
}
