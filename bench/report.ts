import { IDLE_CLIENTS, IDLE_CONNECTIONS } from './idle.js'
import type { Fact } from './machine.js'
import { PEERS, type PeerName } from './peers/list.js'
import type { Results, Sample } from './results.js'
import { SCENARIOS, type Scenario } from './scenarios.js'
import { formatTable } from './table.js'

const MEBIBYTE = 1024 * 1024

/** What the report is made from. */
export interface ReportInput {
  readonly results: Results
  readonly peers: readonly PeerName[]
  readonly facts: readonly Fact[]
  readonly rounds: number
  readonly seconds: number
  /** Requests per second of the paced scenario, or null when it was not measured. */
  readonly pacedRate: number | null
  /** What was left out, and why. */
  readonly notes: readonly string[]
}

/** The figures as Markdown, for the terminal and for docs/benchmarks.md. */
export function formatReport(input: ReportInput): string {
  const { facts, rounds, seconds, notes } = input
  const machine = facts.map(([name, value]) => `- ${name}: ${value}`).join('\n')
  const sections = SCENARIOS.map((scenario) => formatSection(scenario, input))
  const how = `Medians of ${rounds} × ${seconds} s each, taken in turns.`
  const leftOut = notes.map((note) => `- left out: ${note}`).join('\n')
  return [machine, leftOut, how, ...sections].filter((part) => part !== '').join('\n\n')
}

/** Empty when nothing of it was measured. */
function formatSection(scenario: Scenario, input: ReportInput): string {
  const table = scenario.name === 'idle' ? idleTable(input) : loadTable(scenario, input)
  if (table === '') return ''
  const rate = input.pacedRate === null ? '' : `: ${formatCount(input.pacedRate)} requests/s`
  return `## ${scenario.title}${scenario.name === 'paced' ? rate : ''}\n\n${table}`
}

function loadTable(scenario: Scenario, { results, peers }: ReportInput): string {
  const inBytes = scenario.load?.inBytes === true
  const throughput = (sample: Sample): number =>
    inBytes ? sample.bytesPerSecond / MEBIBYTE : sample.requestsPerSecond
  const tsha = results.summary(scenario.name, 'tsha')
  const rows = peers.flatMap((peer) => {
    const sample = results.summary(scenario.name, peer)
    if (!sample) return []
    return [
      [
        PEERS[peer].title,
        formatCount(throughput(sample)),
        formatRatio(throughput(sample), tsha && throughput(tsha)),
        formatCount(sample.cpuPerRequest),
        formatRatio(sample.cpuPerRequest, tsha?.cpuPerRequest ?? null),
        `${Math.round(sample.coreShare * 100)} %`,
        formatMilliseconds(sample.p50),
        formatMilliseconds(sample.p99),
        formatMilliseconds(sample.p999),
        String(sample.errors)
      ]
    ]
  })
  if (rows.length === 0) return ''
  const unit = inBytes ? 'MiB/s' : 'requests/s'
  const cpu = ['CPU µs/request', '× tsha', 'of its core']
  const latency = ['p50 ms', 'p99 ms', 'p99.9 ms', 'errors']
  return formatTable(['', unit, '× tsha', ...cpu, ...latency], rows)
}

function idleTable({ results, peers }: ReportInput): string {
  const rows = peers.flatMap((peer) => {
    const idle = results.idle.get(peer)
    if (!idle) return []
    const { atRest, withClients, perClient } = idle
    const mebibytes = [atRest, withClients].map((kib) => (kib / 1024).toFixed(1))
    return [[PEERS[peer].title, ...mebibytes, perClient.toFixed(1)]]
  })
  if (rows.length === 0) return ''
  const clients = `MiB with ${groupDigits(IDLE_CLIENTS)} clients`
  const table = formatTable(['', 'MiB at rest', clients, 'KiB per client'], rows)
  return `Once, configured for ${groupDigits(IDLE_CONNECTIONS)} connections; nginx sets that memory aside at start.\n\n${table}`
}

/** `52 500`, `812`, `18.4`: as many digits as mean something. */
function formatCount(value: number): string {
  if (value < 100) return value.toFixed(1)
  const digits = Math.max(0, Math.floor(Math.log10(value)) - 2)
  return groupDigits(Math.round(value / 10 ** digits) * 10 ** digits)
}

function groupDigits(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ' ')
}

function formatRatio(value: number, reference: number | null): string {
  return reference === null ? '–' : (value / reference).toFixed(2)
}

function formatMilliseconds(microseconds: number): string {
  return (microseconds / 1000).toFixed(2)
}
