import { parseArgs } from 'node:util'
import { fuzzReceive, summaryOf } from './run.js'

/** `npm run fuzz:vrrp -- [--packets N] [--seed S]`: 10 million packets unless it is told otherwise. */

const { values } = parseArgs({
  options: {
    packets: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) }
  }
})
const packets = Number(values.packets)
const seed = Number(values.seed)
if (!(packets > 0) || !Number.isInteger(packets) || !Number.isInteger(seed)) {
  process.stderr.write('usage: npm run fuzz:vrrp -- [--packets INTEGER] [--seed INTEGER]\n')
  process.exit(2)
}
const begin = performance.now()
const report = await fuzzReceive({ seed, packets })
const seconds = ((performance.now() - begin) / 1000).toFixed(1)
process.stdout.write(`seed ${seed}, ${seconds} s: ${summaryOf(report)}\n`)
if (report.find !== null) {
  process.stdout.write(`FOUND ${report.find}\n`)
  process.exitCode = 1
}
