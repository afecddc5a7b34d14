import type { ProcessEntry, ProcessTable } from '../process-table.js'
import {
  changesAt,
  observeCount,
  UNCOUNTED,
  type QuorumRules,
  type QuorumStatus
} from '../quorum.js'

/** Which processes a check counts, and how many of them pass. */
export interface ProcessRules extends QuorumRules {
  readonly name: string
  readonly process: string
  /** The arguments, joined by blanks; null compares none of them. */
  readonly parameters: string | null
  /** Compare all of them, the first ones, or the first ones and the beginning of the next. */
  readonly parameterMatch: 'exact' | 'partial' | 'initial'
  readonly fullCommand: boolean
}

/** What the checks of processes need, and whom they tell. */
export interface ProcessChecksOptions {
  readonly checks: readonly ProcessRules[]
  readonly intervalMs: number
  readonly table: Pick<ProcessTable, 'read'>
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
  /** Told of the first status and of each change. */
  readonly onChange: (name: string, isUp: boolean, detail: string) => void
  /** Told once, until the processes can be read again. */
  readonly onTrouble: (message: string) => void
}

/**
 * Whether a process is one that is meant (keepalived): by the name that the kernel keeps, or by its
 * first argument where a full command or parameters are compared.
 */
export function matches(rules: ProcessRules, { name, commandLine }: ProcessEntry): boolean {
  const { process, parameters, fullCommand } = rules
  if (!fullCommand && parameters === null) return name === process
  if (!commandLine || commandLine[0] !== process) return false
  return parameters === null || matchesParameters(commandLine.slice(1).join(' '), parameters, rules)
}

function matchesParameters(
  found: string,
  wanted: string,
  { parameterMatch }: Pick<ProcessRules, 'parameterMatch'>
): boolean {
  switch (parameterMatch) {
    case 'exact':
      return found === wanted
    case 'partial':
      return wanted === '' || `${found} `.startsWith(`${wanted} `)
    case 'initial':
      return found.startsWith(wanted)
  }
}

/** Whether any check needs more than the name that the kernel keeps. */
export function needsCommandLines(checks: readonly ProcessRules[]): boolean {
  return checks.some(({ fullCommand, parameters }) => fullCommand || parameters !== null)
}

/**
 * Counts processes for all checks at once: at the start, every interval, and when a delay ends. A
 * reading that is still going on when the next is due skips that one.
 */
export class ProcessChecks {
  readonly #options: ProcessChecksOptions
  readonly #statuses = new Map<string, QuorumStatus>()
  /** What is believed of changed checks until their first count. */
  readonly #before = new Map<string, boolean>()
  #timer: NodeJS.Timeout | null = null
  #isStopped = false
  #isTroubled = false

  constructor(options: ProcessChecksOptions) {
    this.#options = options
  }

  /** Null until the first count. */
  isUp(name: string): boolean | null {
    return this.#statuses.get(name)?.isUp ?? this.#before.get(name) ?? null
  }

  /**
   * Takes the place of other checks: those that are the same go on, and of those that are not the last
   * result holds until the first count.
   *
   * @param isUnchanged whether a check, by its name, counts the same processes by the same rules
   */
  takeOver(old: ProcessChecks, isUnchanged: (name: string) => boolean): void {
    old.stop()
    for (const { name } of this.#options.checks) {
      const status = old.#statuses.get(name)
      const isUp = old.isUp(name)
      if (status && isUnchanged(name)) this.#statuses.set(name, status)
      else if (isUp !== null) this.#before.set(name, isUp)
    }
  }

  start(): void {
    void this.#count()
  }

  stop(): void {
    this.#isStopped = true
    if (this.#timer) clearTimeout(this.#timer)
  }

  async #count(): Promise<void> {
    const { table, now, onTrouble } = this.#options
    const begun = now()
    let entries: readonly ProcessEntry[] | null = null
    try {
      entries = await table.read()
      this.#isTroubled = false
    } catch (error) {
      if (!this.#isTroubled) onTrouble(`processes cannot be counted: ${String(error)}`)
      this.#isTroubled = true
    }
    if (this.#isStopped) return
    if (entries) this.#take(entries)
    this.#timer = setTimeout(() => void this.#count(), Math.max(0, this.#nextAt(begun) - now()))
  }

  #take(entries: readonly ProcessEntry[]): void {
    const { checks, now, onChange } = this.#options
    for (const rules of checks) {
      const before = this.#statuses.get(rules.name) ?? UNCOUNTED
      const wasUp = this.isUp(rules.name)
      const count = entries.filter((entry) => matches(rules, entry)).length
      const status = observeCount(before, count, rules, now())
      this.#statuses.set(rules.name, status)
      if (status.isUp !== wasUp) {
        const running = `${count} ${count === 1 ? 'process runs' : 'processes run'}`
        onChange(rules.name, status.isUp === true, running)
      }
    }
  }

  #nextAt(begun: number): number {
    const { checks, intervalMs } = this.#options
    const delays = checks.map((rules) =>
      changesAt(this.#statuses.get(rules.name) ?? UNCOUNTED, rules)
    )
    return Math.min(begun + intervalMs, ...delays.filter((at) => at !== null))
  }
}
