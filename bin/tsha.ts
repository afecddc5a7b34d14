#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import yargs, { type Argv } from 'yargs'
import { hideBin } from 'yargs/helpers'
import type { Role } from '../src/config/model.js'
import type { LoadOptions } from '../src/config/load.js'
import { ConfigError, EXIT_CONFIG, EXIT_SYSTEM, formatProblem, TshaError } from '../src/errors.js'

const DEFAULT_CONFIG = '/etc/tsha/tsha.yaml'

function configOptions(argv: Argv) {
  return argv
    .option('role', {
      choices: ['master', 'backup'] as const,
      describe: 'which of the two directors this one is'
    })
    .option('config', {
      type: 'string',
      describe: `configuration file (default ${DEFAULT_CONFIG})`
    })
    .option('keepalived-conf', {
      type: 'string',
      describe: 'keepalived.conf to use instead; alone: VRRP only, no proxy'
    })
    .option('nginx-conf', {
      type: 'string',
      describe: 'nginx.conf to use instead; alone: a reverse proxy only'
    })
    .conflicts('config', ['keepalived-conf', 'nginx-conf'])
}

interface ConfigArguments {
  readonly role?: Role | undefined
  readonly config?: string | undefined
  readonly keepalivedConf?: string | undefined
  readonly nginxConf?: string | undefined
}

function loadOptions(argv: ConfigArguments): LoadOptions {
  const { role = null, config, keepalivedConf, nginxConf } = argv
  const usesOldFiles = keepalivedConf !== undefined || nginxConf !== undefined
  return {
    role,
    ...(usesOldFiles ? {} : { config: config ?? DEFAULT_CONFIG }),
    ...(keepalivedConf === undefined ? {} : { keepalivedConf }),
    ...(nginxConf === undefined ? {} : { nginxConf })
  }
}

/** Each command is loaded when it is used, so that none pays for the others. */
const parser = yargs(hideBin(process.argv))
  .scriptName('tsha')
  .usage('$0 [command] [options]\n\nkeepalived and nginx in one program, for a pair of directors.')
  .command(
    ['run', '$0'],
    'run a director in the foreground (the default command)',
    configOptions,
    async (argv) => {
      const { run } = await import('../src/cli/run.js')
      await endNow(await run(loadOptions(argv), version()))
    }
  )
  .command(
    'check',
    'read the configuration, say what it comes to and change nothing',
    configOptions,
    async (argv) => {
      const { check } = await import('../src/cli/check.js')
      process.stdout.write(await check(loadOptions(argv)))
    }
  )
  .command(
    'listen',
    'print every VRRP packet on an interface, and send nothing',
    (argv) =>
      configOptions(argv)
        .option('interface', {
          type: 'string',
          demandOption: true,
          describe: 'where to listen'
        })
        .option('json', { type: 'boolean', default: false, describe: 'one JSON object a line' }),
    async (argv) => {
      const { listen } = await import('../src/cli/listen.js')
      // Without a file to judge by, packets are judged by themselves.
      const hasConfig = argv.config !== undefined || argv.keepalivedConf !== undefined
      const load = hasConfig ? loadOptions(argv) : null
      await endNow(await listen({ interface: argv.interface, json: argv.json, load }))
    }
  )
  .example('$0 --role master', `the master director, configured by ${DEFAULT_CONFIG}`)
  .example(
    '$0 --keepalived-conf /etc/keepalived/keepalived.conf --nginx-conf /etc/nginx/nginx.conf',
    'a director configured by the files of the daemons that it replaces'
  )
  .example('$0 check --role backup', 'what would the other director do?')
  .example('$0 listen --interface ens160', 'who speaks VRRP here?')
  .epilogue('Exit codes: 0 stopped as asked, 1 the system refused, 2 wrong configuration or flags.')
  .strict()
  .version(version())
  .alias({ help: 'h', version: 'V' })
  .wrap(Math.min(100, process.stdout.columns || 100))
  .exitProcess(false)
  .fail((message, error: Error | undefined) => {
    throw error ?? new ConfigError([{ code: 'TSHA_E_FLAG', message: lowerFirst(message) }])
  })

try {
  await parser.parseAsync()
} catch (error) {
  if (error instanceof ConfigError) {
    for (const problem of error.problems) process.stderr.write(`${formatProblem(problem)}\n`)
    process.exit(EXIT_CONFIG)
  } else {
    process.stderr.write(`tsha: ${describe(error)}\n`)
    await endNow(EXIT_SYSTEM)
  }
}

function describe(error: unknown): string {
  if (error instanceof TshaError) return `${error.message} [${error.code}]`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** Ends a director at once: neither sockets of ended workers nor a name server may hold it. */
async function endNow(code: number): Promise<void> {
  try {
    const { exitNow } = await import('../src/linux/syscalls/process.js')
    exitNow(code)
  } catch {
    // Without the native module it ends a little later.
    process.exit(code)
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

function version(): string {
  const path = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}
