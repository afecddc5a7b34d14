import { startProxy } from '../support/proxy.js'

/*
 * A proxy of its own process, so that it can live where a full file system is mounted:
 * `full-disk.js UPSTREAM_PORT DIRECTORY`. It prints its port, and at the end of its input its error log.
 */
const [port = '', directory = ''] = process.argv.slice(2)
const undo: (() => Promise<void>)[] = []
const proxy = await startProxy(
  { teardown: (step) => undo.push(step) },
  {
    servers: [Number(port)],
    config: { bodyTempPath: directory },
    route: { maxBodySize: 0, bodyBufferSize: 16_384 }
  }
)
process.stdout.write(`${proxy.port}\n`)
process.stdin.resume()
process.stdin.on('end', () => {
  const finish = async (): Promise<void> => {
    const { open, budget } = proxy.engine.bodyFiles
    process.stdout.write(`${open} open, ${budget.passing} passing\n`)
    process.stdout.write((await proxy.errorLog()).join('\n'))
    for (const step of undo) await step()
  }
  finish().catch((error: unknown) => {
    process.stdout.write(String(error))
    process.exitCode = 1
  })
})
