import { parseArgs } from 'node:util'
import { PEERS, type PeerName } from './peers/list.js'
import { SCENARIOS, type ScenarioName } from './scenarios.js'

/** What the command line asks for. */
export interface Options {
  /** How often each scenario is measured with each peer. */
  readonly rounds: number
  /** Seconds of load for each figure. */
  readonly seconds: number
  readonly scenarios: readonly ScenarioName[]
  readonly peers: readonly PeerName[]
  /** The Node that runs tsha. The others run on the Node that runs the benchmark. */
  readonly node: string
  /** Whether docs/benchmarks.md is written. */
  readonly write: boolean
  readonly help: boolean
}

const ROUNDS_MAXIMUM = 100
const SECONDS_MAXIMUM = 300

export const USAGE = `npm run bench -- [options]     tsha beside nginx, HAProxy and http-proxy, about 10 minutes

  --rounds N       rounds of which the medians are told (default 3)
  --seconds N      seconds of load for each figure (default 4)
  --only LIST      scenarios: ${SCENARIOS.map(({ name }) => name).join(',')}
  --peers LIST     proxies: ${Object.keys(PEERS).join(',')}
  --node PATH      another Node for tsha
  --write          also write docs/benchmarks.md
`

/** @throws {Error} that says what is wrong with the arguments */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '4' },
      only: { type: 'string' },
      peers: { type: 'string' },
      node: { type: 'string', default: process.execPath },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  const scenarioNames = SCENARIOS.map(({ name }) => name)
  const peerNames = Object.keys(PEERS) as PeerName[]
  return {
    rounds: readCount('--rounds', values.rounds, ROUNDS_MAXIMUM),
    seconds: readCount('--seconds', values.seconds, SECONDS_MAXIMUM),
    scenarios: readList('--only', values.only, scenarioNames),
    peers: readList('--peers', values.peers, peerNames),
    node: values.node,
    write: values.write,
    help: values.help
  }
}

function readCount(flag: string, text: string, maximum: number): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= maximum) return count
  throw new Error(`${flag} takes a whole number from 1 to ${maximum}; found ${text}`)
}

/** The chosen names in the order in which they are measured; all of them without a list. */
function readList<T extends string>(
  flag: string,
  text: string | undefined,
  known: readonly T[]
): readonly T[] {
  if (text === undefined) return known
  const words = text.split(',')
  const strange = words.find((word) => !known.some((name) => name === word))
  if (strange !== undefined) {
    throw new Error(`${flag} takes ${known.join(', ')}; found ${strange}`)
  }
  return known.filter((name) => words.includes(name))
}
