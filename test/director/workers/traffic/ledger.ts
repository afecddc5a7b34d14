/** What the access log says of the traffic: the other witness. */
export interface Ledger {
  readonly lines: number
  /** By listen port. */
  readonly listeners: Readonly<Record<string, ListenerLedger>>
  /** By address of the peer: its attempts by what `$upstream_status` says. */
  readonly peers: Readonly<Record<string, Readonly<Record<string, number>>>>
}

interface ListenerLedger {
  readonly requests: Record<string, number>
  bytesSent: number
  bytesReceived: number
}

/** The format that `readLedger` reads. */
export const LEDGER_FORMAT =
  '$server_port $status $bytes_sent $request_length "$upstream_addr" "$upstream_status"'

const LINE = /^(\d+) (\d{3}) (\d+) (\d+) "([^"]*)" "([^"]*)"$/

/** @throws {Error} for a line that is not in the format */
export function readLedger(text: string): Ledger {
  const lines = text.split('\n').slice(0, -1)
  const listeners: Record<string, ListenerLedger> = {}
  const peers: Record<string, Record<string, number>> = {}
  for (const line of lines) {
    const [, port = '', status = '', sent, received, addresses = '', statuses = ''] =
      LINE.exec(line) ?? []
    if (port === '') throw new Error(`no line of the ledger: ${line}`)
    const listener = (listeners[port] ??= { requests: {}, bytesSent: 0, bytesReceived: 0 })
    listener.requests[status] = (listener.requests[status] ?? 0) + 1
    listener.bytesSent += Number(sent)
    listener.bytesReceived += Number(received)
    if (addresses === '-') continue
    const results = statuses.split(', ')
    for (const [i, address] of addresses.split(', ').entries()) {
      const result = results[i] ?? ''
      const peer = (peers[address] ??= {})
      peer[result] = (peer[result] ?? 0) + 1
    }
  }
  return { lines: lines.length, listeners, peers }
}

/** What the log calls an attempt that has ended in this way. */
export function asLogged(attempts: Readonly<Record<string, number>>): Record<string, number> {
  const logged: Record<string, number> = {}
  for (const [result, count] of Object.entries(attempts)) {
    const status = WORDS[result] ?? result
    logged[status] = (logged[status] ?? 0) + count
  }
  return logged
}

const WORDS: Readonly<Record<string, string>> = {
  aborted: '-',
  connect: '502',
  reset: '502',
  closed: '502',
  invalid: '502',
  local: '502',
  timeout: '504'
}
