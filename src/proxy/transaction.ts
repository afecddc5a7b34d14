import type { RequestHead } from './http1/head.js'
import type { ClientFacts, Transaction } from './variables.js'

/** Begins the record of a request. @param head null if it was refused */
export function openTransaction(
  client: ClientFacts,
  head: RequestHead | null,
  requestLine: string,
  connectionRequests: number,
  startedAt: number
): Transaction {
  return {
    client,
    head,
    requestLine,
    connectionRequests,
    startedAt,
    endedAt: startedAt,
    endedAtEpochMs: 0,
    path: '',
    host: head?.host ?? '',
    serverName: '',
    proxyHost: '',
    status: 0,
    bodyBytesSent: 0,
    bytesSent: 0,
    requestLength: 0,
    attempts: []
  }
}
