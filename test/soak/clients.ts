import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Fleet } from '../../bench/fleet.js'
import type { ClientOrder, ClientReport } from './client/protocol.js'

const PROGRAM = fileURLToPath(new URL('./client/main.js', import.meta.url))

/**
 * Runs the clients in a process of their own.
 * @throws {Error} when they end without saying that all was done
 */
export async function runClients(
  fleet: Fleet,
  order: ClientOrder,
  onReport: (report: ClientReport) => void
): Promise<void> {
  const argv = [process.execPath, '--enable-source-maps', PROGRAM, JSON.stringify(order)]
  const { stdout } = fleet.converse(argv)
  if (stdout === null) throw new Error('the clients cannot be heard')
  let isDone = false
  for await (const line of createInterface({ input: stdout })) {
    const report = JSON.parse(line) as ClientReport
    if (report.type === 'end') isDone = true
    onReport(report)
  }
  if (!isDone) throw new Error('the clients ended too early')
}
