/**
 * What one request is to be. The client draws it and tells the upstream server in the target, so that both
 * know what has to come back. Pure.
 */

/** Where the proxy sends requests that begin with `/NAME/`. The servers are the same. */
export const GROUPS = ['web', 'steady'] as const
export type Group = (typeof GROUPS)[number]

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT'] as const
export type Method = (typeof METHODS)[number]

/** How an upstream server delimits its body. */
export const FRAMINGS = ['length', 'chunked', 'close'] as const
export type Framing = (typeof FRAMINGS)[number]

/** What an upstream server may do wrong, or at least not as expected. */
export const FAULTS = [
  /** Resets the connection as soon as it has the head. */
  'reset-unread',
  /** Ends the connection instead of an answer. */
  'end-unanswered',
  'reset-head',
  'reset-body',
  'end-body',
  'drip',
  /** Says nothing for a while, before its head or in its body. */
  'stall-head',
  'stall-body',
  /** Answers before it has the request's body, and reads it or does not. */
  'early',
  'early-end',
  /** Ends a connection that it said it would keep, right after its answer. */
  'end-after',
  'garbage-head',
  'garbage-after',
  'garbage-chunk',
  'huge-head',
  /** Sends interim responses first. */
  'interim',
  'status-503'
] as const
export type FaultKind = (typeof FAULTS)[number]

/** A fault of the servers whose bit is set in `who`. */
export interface Fault {
  readonly kind: FaultKind
  /** Where in what is sent, in thousandths; for a stall its time. */
  readonly at: number
  readonly who: number
}

/** One request and its response. */
export interface Plan {
  readonly id: number
  readonly group: Group
  readonly method: Method
  readonly minorVersion: 0 | 1
  readonly status: 200 | 304
  /** Bytes of the response's body, also of one that is only announced. */
  readonly size: number
  readonly framing: Framing
  /** Whether the body comes as events, with time between them. */
  readonly isEvents: boolean
  /** Bytes of the request's body, or null for none. */
  readonly upload: number | null
  readonly uploadFraming: 'length' | 'chunked'
  readonly expectsContinue: boolean
  readonly fault: Fault | null
}

/** The field that carries the id, both ways. */
export const ID_FIELD = 'X-Soak-Id'
/** Of the response: bytes of the request's body that have come, and their checksum. */
export const GOT_FIELD = 'X-Soak-Got'
/** Of the response: given before the request's body was there. */
export const EARLY_FIELD = 'X-Soak-Early'

/** What the proxy refuses with 413. */
export const MAX_UPLOAD = 3 * 1024 * 1024

/** The part of a plan that the upstream server has to know. */
export type Order = Pick<
  Plan,
  'id' | 'status' | 'size' | 'framing' | 'isEvents' | 'upload' | 'uploadFraming' | 'fault'
>

/** The request target of a plan. */
export function targetOf(plan: Plan): string {
  const { id, group, status, size, framing, isEvents, upload, uploadFraming, fault } = plan
  const words = [status, size, framing, isEvents ? 1 : 0, upload ?? '', uploadFraming]
  if (fault !== null) words.push(fault.kind, fault.at, fault.who)
  return `/${group}/${id}?${words.join('.')}`
}

/** The order in a request target, or null if it is none. */
export function orderOf(target: string): Order | null {
  const match = /^\/[a-z]+\/(\d+)\?([\w.-]+)$/.exec(target)
  if (match === null) return null
  const [status, size, framing, events, upload, uploadFraming, kind, at, who] =
    match[2]?.split('.') ?? []
  return {
    id: Number(match[1]),
    status: status === '304' ? 304 : 200,
    size: Number(size),
    framing: FRAMINGS.find((each) => each === framing) ?? 'length',
    isEvents: events === '1',
    upload: upload === '' ? null : Number(upload),
    uploadFraming: uploadFraming === 'chunked' ? 'chunked' : 'length',
    fault: faultOf(kind, at, who)
  }
}

function faultOf(kind?: string, at?: string, who?: string): Fault | null {
  const known = FAULTS.find((each) => each === kind)
  return known === undefined ? null : { kind: known, at: Number(at), who: Number(who) }
}
