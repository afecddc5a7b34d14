import { createWriteStream } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Bodies } from '../bodies.js'
import { Clients } from './clients.js'
import type { ClientOrder, ClientReport } from './protocol.js'

/**
 * The clients: `node main.js JSON`, with what `ClientOrder` says. It writes a line of JSON to its standard
 * output now and then, and a line to its journal for each request. It ends when the time is over and
 * everything has been answered.
 */

const PEAK_SHARE = 0.7
/** Enough to keep the proxy busy while some wait for events. */
const CLOSED_LOOP_CLIENTS = 96
const TICK_MS = 5
const order = JSON.parse(process.argv[2] ?? '{}') as ClientOrder
const journal = createWriteStream(order.journal)
const clients = new Clients(order.port, new Bodies(order.seed), order.seed, (line) => {
  journal.write(`${line}\n`)
})

function tell(report: ClientReport): void {
  process.stdout.write(`${JSON.stringify(report)}\n`)
}

/** Requests per second of clients that ask again as soon as they are answered. */
async function findPeak(seconds: number): Promise<number> {
  const begin = performance.now()
  const until = begin + seconds * 1000
  const loop = async (): Promise<void> => {
    while (performance.now() < until) await clients.runOne(true)
  }
  await Promise.all(Array.from({ length: CLOSED_LOOP_CLIENTS }, loop))
  return (clients.started * 1000) / (performance.now() - begin)
}

/** Begins errands at a rate, whatever becomes of those before. */
async function keepRate(rate: number, seconds: number): Promise<void> {
  const begin = performance.now()
  const first = clients.started
  for (let passed = 0; passed < seconds * 1000; passed = performance.now() - begin) {
    const due = first + (rate * passed) / 1000
    while (clients.started < due) clients.begin()
    await sleep(TICK_MS)
  }
}

const peak = order.calibrateSeconds > 0 ? await findPeak(order.calibrateSeconds) : 0
const rate = order.rate ?? Math.max(1, peak * PEAK_SHARE)
tell({ type: 'rate', peak, rate })
clients.takeFacts()
const teller = setInterval(() => {
  tell({ type: 'interval', ...clients.takeFacts() })
}, order.tellEveryMs)
await keepRate(rate, order.seconds)
await clients.drain()
clearInterval(teller)
tell({ type: 'interval', ...clients.takeFacts() })
await new Promise<void>((resolve) => journal.end(resolve))
tell({ type: 'end', requests: clients.nextId })
