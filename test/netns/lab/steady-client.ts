import { Agent, get } from 'node:http'
import type { RequestResult } from './load-result.js'

/**
 * A client of the lab, a program of its own so that nothing in the test disturbs its rhythm:
 * `node steady-client.js URL RATE TIMEOUT_MS KEEP_ALIVE COUNT PAUSE_MS`.
 *
 * With a RATE it starts that many requests per second, whatever becomes of them, until its standard
 * input closes; with RATE 0 it makes COUNT requests, one after the other with a pause in between. KEEP_ALIVE is the number
 * of connections that are kept and used in turn, or 0 for a fresh connection per request. Every result is one line of
 * JSON on stdout, in the order in which they end.
 *
 * TIMEOUT_MS counts while the client runs. If it stands still itself, for it or its machine gets no processor, the answer
 * lies there unread: when it wakes, its timers are due before it reads, and one standstill of 1 s would look like an
 * outage of the service.
 */

/** Requests that may be under way; more would say nothing more about the service. */
const OPEN_LIMIT = 5000
const BODY_LIMIT = 200
const TICK_MS = 10
/** A tick that is later than this was none of a running client. */
const STANDSTILL_MS = 100

const [url = '', ...numbers] = process.argv.slice(2)
const [rate = 0, timeoutMs = 1000, keepAlive = 0, count = 0, pauseMs = 0] = numbers.map(Number)
const agents = Array.from(
  { length: keepAlive },
  () => new Agent({ keepAlive: true, maxSockets: 1 })
)
let made = 0
let open = 0
let stoodStillMs = 0
let lastTick = performance.now()

/** How long this process has run: time goes by, standstills do not. */
function runningMs(): number {
  const now = performance.now()
  if (now - lastTick > STANDSTILL_MS) stoodStillMs += now - lastTick - TICK_MS
  lastTick = now
  return now - stoodStillMs
}

function request(): Promise<void> {
  return new Promise((resolve) => {
    const at = Date.now()
    const started = process.hrtime.bigint()
    let settled = false
    open += 1
    const settle = (status: number, body: string, error: string): void => {
      if (settled) return
      settled = true
      open -= 1
      clearTimeout(timer)
      const result: RequestResult = {
        at,
        ms: Number(process.hrtime.bigint() - started) / 1e6,
        ok: status === 200 && error === '',
        status,
        body: body.slice(0, BODY_LIMIT).trimEnd(),
        error
      }
      process.stdout.write(`${JSON.stringify(result)}\n`)
      resolve()
    }
    const fail = (error: NodeJS.ErrnoException): void => {
      settle(0, '', error.code ?? error.message)
    }
    const agent = agents[made++ % agents.length] ?? false
    const message = get(url, { agent }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        body = (body + piece).slice(0, BODY_LIMIT)
      })
      response.on('error', fail)
      response.on('end', () => {
        settle(response.statusCode ?? 0, body, response.complete ? '' : 'incomplete answer')
      })
    })
    message.on('error', fail)
    const began = runningMs()
    const giveUp = (): void => {
      const leftMs = timeoutMs - (runningMs() - began)
      if (leftMs > 1) {
        timer = setTimeout(giveUp, leftMs)
        return
      }
      settle(0, '', 'timeout')
      message.destroy()
    }
    let timer = setTimeout(giveUp, timeoutMs)
  })
}

async function requestInTurn(): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    await request()
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

function requestSteadily(): void {
  const beginning = process.hrtime.bigint()
  let started = 0
  let isEnding = false
  // Not before the last answer: to an agent that is destroyed, requests under way have failed.
  const closeAtEnd = (): void => {
    if (isEnding && open === 0) for (const agent of agents) agent.destroy()
  }
  const ticking = setInterval(() => {
    const elapsedMs = Number(process.hrtime.bigint() - beginning) / 1e6
    const due = Math.floor((elapsedMs * rate) / 1000)
    for (; started < due && open < OPEN_LIMIT; started += 1) void request().then(closeAtEnd)
  }, 2)
  process.stdin.resume()
  process.stdin.once('end', () => {
    clearInterval(ticking)
    isEnding = true
    closeAtEnd()
  })
}

setInterval(runningMs, TICK_MS).unref()
process.stdout.on('error', () => {
  // Nobody reads the results any more.
  process.exit(0)
})
if (rate > 0) {
  requestSteadily()
} else {
  await requestInTurn()
  for (const agent of agents) agent.destroy()
}
