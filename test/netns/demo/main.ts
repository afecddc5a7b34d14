import { Lab, VIP, type HostName } from '../lab/lab.js'
import { TSHA_COMMAND } from '../lab/pair-files.js'
import { OLD_FILES, TshaDirector, WATCHED } from '../lab/tsha.js'
import { introduce, Story } from './story.js'
import { Terminal } from './terminal.js'

/**
 * `npm run demo`: builds the network, plays the story, and leaves nothing behind. Exit code 0 only if
 * everything behaved. With `--interactive` it starts the pair and leaves it to the reader.
 */

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

const terminal = new Terminal(process.stdout, process.env)
const interactive = process.argv.includes('--interactive')

introduce(terminal)
const lab = await Lab.create({ web: 'node' })

const leaving = new AbortController()

/** Ends the network and then the program; whoever comes first decides the exit code. */
async function leave(code: number): Promise<void> {
  if (leaving.signal.aborted) return
  leaving.abort()
  terminal.status('')
  await lab.close()
  process.exit(code)
}
for (const [signal, code] of Object.entries(EXIT_CODES)) {
  process.once(signal, () => {
    terminal.line()
    void leave(code)
  })
}

const master = new TshaDirector(lab.host('director1'), 'master', OLD_FILES, WATCHED)
const backup = new TshaDirector(lab.host('director2'), 'backup', OLD_FILES, WATCHED)
const story = new Story({ lab, master, backup }, terminal)
try {
  if (interactive) await beInteractive()
  else await story.play()
  await leave(story.failures === 0 ? 0 : 1)
} catch (error) {
  // When the reader has asked us to leave, everything that is under way fails: no news.
  if (!leaving.signal.aborted) {
    terminal.status('')
    terminal.verdict(false, error instanceof Error ? error.message : String(error))
    await leave(1)
  }
}

async function beInteractive(): Promise<never> {
  await story.begin()
  const names: readonly HostName[] = ['director1', 'director2', 'web1', 'web2', 'client']
  terminal.line()
  terminal.line(
    terminal.style('bold', 'The network is up. Enter a machine from another terminal, as root:')
  )
  for (const name of names) {
    const entrance = lab.host(name).entrance.join(' ')
    terminal.line(`   ${terminal.style('cyan', name.padEnd(10))} ${entrance} bash`)
  }
  const client = lab.host('client').entrance.join(' ')
  const director = lab.host('director1').entrance.join(' ')
  terminal.line()
  terminal.line('Then try:')
  terminal.line(`   ${client} curl -s http://${VIP}/`)
  terminal.line(`   ${director} ip a show ens160`)
  const tsha = `${process.execPath} ${TSHA_COMMAND}`
  for (const command of ['status', 'why', 'step-down', 'resume']) {
    terminal.line(`   ${director} ${tsha} ${command}`)
  }
  terminal.line(`   ${director} pkill -TERM -f "tsha: director"`)
  const start = master.command.replace('tsha', tsha)
  terminal.line(`   ${director} ${start}`)
  terminal.line()
  terminal.line('What happens is told here. Ctrl-C ends it all.')
  story.watch()
  return new Promise<never>(() => {
    // Until a signal comes.
  })
}
