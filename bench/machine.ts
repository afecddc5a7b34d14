import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { delimiter, join, resolve } from 'node:path'

/** The root of the repository, seen from the compiled program. */
export const REPOSITORY = resolve(import.meta.dirname, '../..')

/** One line about the machine or a program: what it is, and which. */
export type Fact = readonly [name: string, value: string]

/**
 * What the figures depend on besides the programs' own quality.
 * @param busy the load average before the first measurement: what else the machine was doing
 */
export function machineFacts(node: string, busy: number): readonly Fact[] {
  const processors = cpus()
  return [
    ['date', new Date().toISOString().slice(0, 10)],
    ['processor', `${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} cores`],
    ['kernel', release()],
    ['load average before', busy.toFixed(2)],
    ['tsha', `${packageVersion('.')} on Node ${versionOf(node, '--version')}`],
    ['nginx', versionOf('nginx', '-v')],
    ['HAProxy', versionOf('haproxy', '-v')],
    ['http-proxy', `${packageVersion('node_modules/http-proxy')} on Node ${process.versions.node}`],
    ['wrk', versionOf('wrk', '-v')],
    ['h2load', versionOf('h2load', '--version')]
  ]
}

/** Whether a program is there to be started. */
export function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** The first version number that a program prints; wrk ends with an error when asked. */
function versionOf(program: string, flag: string): string {
  const outcome = spawnSync(program, [flag], { encoding: 'utf8', timeout: 5000 })
  if (outcome.error) return 'not installed'
  return /\d+\.\d+(\.\d+)?/.exec(`${outcome.stdout}${outcome.stderr}`)?.[0] ?? 'unknown'
}

function packageVersion(folder: string): string {
  const text = readFileSync(join(REPOSITORY, folder, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
