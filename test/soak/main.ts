import { Fleet } from '../../bench/fleet.js'
import { readOptions, USAGE } from './options.js'
import { formatReport } from './report.js'
import { soak } from './soak.js'

/** What everything beside the load may take. */
const OVERHEAD_MS = 300_000

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options === null) {
    process.stdout.write(USAGE)
    return
  }
  const fleet = new Fleet('soak')
  const end = (why: string, code: number): void => {
    process.stderr.write(`soak: ${why}\n`)
    void fleet.close().then(() => process.exit(code))
  }
  process.once('SIGINT', () => {
    end('interrupted', 130)
  })
  process.once('SIGTERM', () => {
    end('stopped', 143)
  })
  const timer = setTimeout(
    () => {
      end('not ready in time', 1)
    },
    options.seconds * 1000 + OVERHEAD_MS
  )
  try {
    const say = (line: string): void => void process.stderr.write(`soak: ${line}\n`)
    say(`seed ${options.seed}`)
    const result = await soak(fleet, options, say)
    process.stdout.write(`${formatReport(options, result)}\n`)
    if (result.findings.length > 0) {
      process.exitCode = 1
      fleet.keepsFiles = true
      say(`what everybody wrote down stays in ${fleet.directory}`)
    }
  } finally {
    clearTimeout(timer)
    await fleet.close()
  }
}

await main().catch((error: unknown) => {
  process.stderr.write(`soak: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
