import type { Bodies } from '../bodies.js'
import { EARLY_FIELD, GOT_FIELD, ID_FIELD, MAX_UPLOAD, type Plan } from '../plan.js'
import { announcedBody, type BodyKind, type MessageHead } from '../wire.js'
import type { Outcome } from './outcome.js'

/** One request on its way: what has to come back, and what has. */
export class Expectation {
  readonly plan: Plan
  readonly startedAt = Date.now()
  readonly #startedMs = performance.now()
  /** Null while the request runs. */
  outcome: Outcome | null = null
  /** What is wrong, in words. */
  detail = ''
  status = 0
  received = 0
  elapsedMs = 0
  readonly settled: Promise<void>
  readonly #bodies: Bodies
  #settle: () => void = () => undefined
  /** The proxy's own page, which is not looked at. */
  #isForeign = false
  /** What the body would be if all of it came. */
  #outcomeIfWhole: Outcome = 'ok'

  constructor(plan: Plan, bodies: Bodies) {
    this.plan = plan
    this.#bodies = bodies
    this.settled = new Promise((resolve) => (this.#settle = resolve))
  }

  /** Ends it; only the first time counts. */
  settle(outcome: Outcome, detail = ''): void {
    if (this.outcome !== null) return
    this.outcome = outcome
    this.detail = detail
    this.elapsedMs = performance.now() - this.#startedMs
    this.#settle()
  }

  /** Looks at a final head; returns how its body is delimited. */
  onHead(head: MessageHead): BodyKind {
    const { plan } = this
    this.status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head.line)?.[1] ?? 0)
    const id = head.fields.get(ID_FIELD.toLowerCase())
    if (id === undefined) this.#onOwnHead(head)
    else if (id !== String(plan.id)) this.settle('wrong', `the response of request ${id}`)
    else this.#onUpstreamHead(head)
    const announced = announcedBody(head)
    if (plan.method === 'HEAD' || this.status === 304 || this.status === 204) return 'none'
    return announced ?? 'close'
  }

  onBody(bytes: Buffer): void {
    if (!this.#isForeign && this.outcome === null) {
      const at = this.#bodies.difference('response', this.plan.id, this.received, bytes)
      if (at >= 0) this.settle('wrong', `body differs at byte ${at}`)
    }
    this.received += bytes.length
  }

  onMessageEnd(): void {
    const { plan } = this
    const hasBody = plan.method !== 'HEAD' && this.status !== 304
    if (!this.#isForeign && hasBody && this.received !== plan.size) {
      const detail = `body of ${this.received} bytes instead of ${plan.size}`
      const isHidden = plan.framing === 'close' && this.received < plan.size
      this.settle(isHidden ? 'short' : 'wrong', detail)
    }
    this.settle(this.#outcomeIfWhole)
  }

  /** An answer of the proxy itself. */
  #onOwnHead(head: MessageHead): void {
    const { plan, status } = this
    this.#isForeign = true
    const isTooLarge = plan.upload !== null && plan.upload > MAX_UPLOAD
    if (status === 502 || status === 504) this.#outcomeIfWhole = 'gateway'
    else if (status === 413 && isTooLarge) this.#outcomeIfWhole = 'refused-413'
    else this.settle('wrong', `unexpected ${head.line}`)
  }

  #onUpstreamHead(head: MessageHead): void {
    const { plan, status } = this
    const problem = this.#lengthProblem(head) ?? this.#uploadProblem(head)
    if (problem !== null) this.settle('wrong', problem)
    else if (status === 503 && plan.fault?.kind === 'status-503')
      this.#outcomeIfWhole = 'passed-503'
    else if (status !== plan.status) this.settle('wrong', `unexpected ${head.line}`)
  }

  #lengthProblem(head: MessageHead): string | null {
    const { framing, size } = this.plan
    const length = head.fields.get('content-length')
    const wanted = framing === 'length' ? String(size) : undefined
    return length === wanted
      ? null
      : `Content-Length ${length ?? 'missing'}, wanted ${wanted ?? 'none'}`
  }

  /** The upstream server has to have had every byte of the request's body. */
  #uploadProblem(head: MessageHead): string | null {
    const { id, upload, fault } = this.plan
    if (upload === null) return null
    const got = head.fields.get(GOT_FIELD.toLowerCase())
    if (got === undefined) {
      const mayBeEarly = fault?.kind.startsWith('early') === true
      return mayBeEarly && head.fields.has(EARLY_FIELD.toLowerCase()) ? null : 'answered too early'
    }
    const wanted = `${upload} ${this.#bodies.sum('request', id, upload)}`
    return got === wanted ? null : `the upstream server got ${got} instead of ${wanted}`
  }
}
