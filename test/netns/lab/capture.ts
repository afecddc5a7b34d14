import { EventLog } from './event-log.js'
import type { Host } from './host.js'
import type { LabProcess } from './lab-process.js'
import { PcapReader, type Packet } from './pcap.js'

const READY_TIMEOUT_MS = 10_000
const FILE_LIMIT = 32 * 1024 * 1024

/** A running `tcpdump`: its packets as they come, and the whole file for other programs to read. */
export class Capture {
  readonly packets = new EventLog<Packet>('captured packets', 100_000, (packet) =>
    packet.bytes.toString('hex')
  )
  #process: LabProcess | null = null
  readonly #pieces: Buffer[] = []
  #size = 0

  /** Resolves when packets are being captured. */
  static async start(host: Host, device: string, filter: string): Promise<Capture> {
    const capture = new Capture()
    const reader = new PcapReader()
    const args = ['-i', device, '-U', '--immediate-mode', '-Z', 'root', '-w', '-', filter]
    const tcpdump = await host.spawn('tcpdump', args, {
      onStdout: (piece) => {
        if (capture.#size + piece.length > FILE_LIMIT) return
        capture.#size += piece.length
        capture.#pieces.push(piece)
        for (const packet of reader.read(piece)) capture.packets.push(packet)
      }
    })
    capture.#process = tcpdump
    await tcpdump.lines.waitFor(
      (line) => line.text.includes('listening on'),
      'sign that tcpdump listens',
      READY_TIMEOUT_MS
    )
    return capture
  }

  /** Ends it; what was captured stays. */
  async stop(): Promise<void> {
    await this.#process?.stop('SIGINT')
    await this.#process?.closed
    this.packets.end(new Error('the capture was stopped'))
  }

  /** Everything so far as a pcap file. */
  get file(): Buffer {
    return Buffer.concat(this.#pieces)
  }
}
