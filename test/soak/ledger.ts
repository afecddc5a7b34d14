import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { readJournalLine, type JournalEntry } from './client/journal.js'
import { OUTCOMES, type Outcome } from './client/outcome.js'
import type { Findings } from './findings.js'
import type { FaultKind } from './plan.js'
import type { Outage } from './upstreams.js'

/** What was written down by all sides. */
export interface Books {
  readonly clients: string
  readonly upstreams: readonly string[]
  /** Null when no proxy was there that writes them. */
  readonly accessLogs: readonly string[] | null
  readonly outages: readonly Outage[]
  /** How often the proxy answered 404 to a request without an id. */
  readonly probes: number
}

/** The numbers of a run. */
export interface Balance {
  readonly requests: number
  readonly outcomes: Readonly<Record<Outcome, number>>
  /** 502 and 504 to requests that had no fault of their own, while no server was killed or stopped. */
  readonly collateral: number
  readonly posts: number
  readonly accessLines: number
}

/** After this a server that was away is sure to be used as if nothing had been. */
const AFTERMATH_MS = 2000
/** Wall clocks of two processes are read in whole milliseconds. */
const CLOCK_MS = 1
/** A killed process may still run this long on a busy machine. */
const KILL_MS = 50
/** Faults after which a response may be cut although it had begun. */
const CUTTING: readonly (FaultKind | null)[] = [
  'reset-body',
  'end-body',
  'stall-body',
  'garbage-chunk',
  'garbage-after',
  'early-end'
]
/** What is in the access log, once and with what the client saw. */
const LOGGED: readonly Outcome[] = ['ok', 'passed-503', 'refused-413', 'gateway']

/** Compares what clients, upstream servers and the proxy have written down; what disagrees is found. */
export async function audit(books: Books, findings: Findings): Promise<Balance> {
  const entries: (JournalEntry | undefined)[] = []
  const outcomes = Object.fromEntries(OUTCOMES.map((each) => [each, 0])) as Record<Outcome, number>
  let requests = 0
  let collateral = 0
  for await (const line of linesOf(books.clients)) {
    const entry = readJournalLine(line)
    if (entry === null) {
      findings.add('bytes that nobody asked for', line)
      continue
    }
    requests++
    entries[entry.id] = entry
    outcomes[entry.outcome]++
    judge(entry, books.outages, findings)
    const { outcome, fault } = entry
    if (outcome === 'gateway' && fault === null && !isAround(entry, books.outages, AFTERMATH_MS)) {
      collateral++
    }
  }
  const posts = await auditPosts(books.upstreams, entries, findings)
  const accessLines =
    books.accessLogs === null
      ? 0
      : await auditAccessLogs(books.accessLogs, entries, books, findings)
  return { requests, outcomes, collateral, posts, accessLines }
}

function judge(entry: JournalEntry, outages: readonly Outage[], findings: Findings): void {
  const told = describe(entry)
  switch (entry.outcome) {
    case 'wrong':
      findings.add('wrong responses', told)
      break
    case 'short':
      if (!wasKilled(entry, outages)) findings.add('responses cut invisibly', told)
      break
    case 'cut': {
      const isOwn = CUTTING.includes(entry.fault) || entry.manner === 'stalled-reader'
      if (!isOwn && !isAround(entry, outages, 0))
        findings.add('responses cut without a reason', told)
      break
    }
    default:
  }
}

function describe(entry: JournalEntry): string {
  const { id, method, framing, outcome, status, received, manner, fault, detail } = entry
  const at = new Date(entry.startedAt).toISOString().slice(11, 23)
  const how = `${manner}, fault ${fault ?? 'none'}, from ${at} for ${entry.elapsedMs} ms`
  return `${method} ${id} (${framing}): ${outcome} ${status} ${received} bytes: ${detail} (${how})`
}

/** Whether a request ran while a server was away, or up to so long after that. */
function isAround(entry: JournalEntry, outages: readonly Outage[], afterMs: number): boolean {
  const end = entry.startedAt + entry.elapsedMs
  return outages.some(({ from, to }) => entry.startedAt <= to + afterMs && end >= from - CLOCK_MS)
}

/** Whether a server was killed just then: the kernel ends its connections as if it had done so itself. */
function wasKilled(entry: JournalEntry, outages: readonly Outage[]): boolean {
  const end = entry.startedAt + entry.elapsedMs
  return outages.some(({ kind, from }) => {
    return kind === 'killed' && entry.startedAt <= from + KILL_MS && end >= from - CLOCK_MS
  })
}

/** A POST may reach one server once. */
async function auditPosts(
  journals: readonly string[],
  entries: readonly (JournalEntry | undefined)[],
  findings: Findings
): Promise<number> {
  const times = new Uint8Array(entries.length)
  let posts = 0
  for await (const line of linesOf(...journals)) {
    const id = /^post (\d+)$/.exec(line)?.[1]
    if (id === undefined) {
      findings.add('requests that the upstream servers refuse', line)
      continue
    }
    posts++
    times[Number(id)] = (times[Number(id)] ?? 0) + 1
    if (times[Number(id)] === 2) findings.add('POST executed twice', `POST ${id}`)
  }
  for (const entry of entries) {
    if (entry?.method !== 'POST' || entry.outcome !== 'ok' || times[entry.id] !== 0) continue
    findings.add('POST answered but never executed', describe(entry))
  }
  return posts
}

/** Every request is in the access log once, as its client saw it. */
async function auditAccessLogs(
  paths: readonly string[],
  entries: readonly (JournalEntry | undefined)[],
  books: Books,
  findings: Findings
): Promise<number> {
  const times = new Uint8Array(entries.length)
  const strangers = new Map<string, number>()
  let lines = 0
  for await (const line of linesOf(...paths)) {
    lines++
    const [id = '', status = '', bytes = ''] = line.split(' ')
    if (id === '-') {
      strangers.set(status, (strangers.get(status) ?? 0) + 1)
      continue
    }
    const entry = entries[Number(id)]
    if (entry === undefined) {
      findings.add('access log lines of nobody', line)
      continue
    }
    times[entry.id] = (times[entry.id] ?? 0) + 1
    if (times[entry.id] === 2) findings.add('requests logged twice', line)
    if (!LOGGED.includes(entry.outcome)) continue
    if (entry.status !== Number(status) || entry.received !== Number(bytes)) {
      findings.add('access log lines that say something else', `${describe(entry)} but ${line}`)
    }
  }
  for (const entry of entries) {
    if (entry === undefined || times[entry.id] !== 0) continue
    const mustBeThere = LOGGED.includes(entry.outcome) || entry.outcome === 'cut'
    if (mustBeThere) findings.add('requests not logged', describe(entry))
  }
  auditStrangers(strangers, entries, books.probes, findings)
  return lines
}

/** Lines without an id: the probes, and heads that their clients left unfinished. */
function auditStrangers(
  strangers: ReadonlyMap<string, number>,
  entries: readonly (JournalEntry | undefined)[],
  probes: number,
  findings: Findings
): void {
  const unfinished = entries.filter((entry) => entry?.manner === 'abort-head').length
  const own = strangers.get('404') ?? 0
  const broken = strangers.get('400') ?? 0
  if (own !== probes) findings.add('probes in the access log', `${own} lines, ${probes} asked`)
  if (broken > unfinished) {
    findings.add('unfinished heads in the access log', `${broken} lines, ${unfinished} sent`)
  }
  for (const [status, count] of strangers) {
    if (['200', '404', '400'].includes(status)) continue
    findings.add('access log lines without an id', `${count} with status ${status}`)
  }
}

async function* linesOf(...paths: readonly string[]): AsyncGenerator<string> {
  for (const path of paths.filter((each) => existsSync(each))) {
    yield* createInterface({ input: createReadStream(path, 'latin1'), crlfDelay: Infinity })
  }
}
