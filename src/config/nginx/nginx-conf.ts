import type { Machine } from '../machine.js'
import { Places } from '../source.js'
import type { Source } from '../source.js'
import { Block, Report, setInherited } from './block.js'
import { readLimitZones } from './limit-conn.js'
import { readErrorLog, readLogFormats } from './logs.js'
import { parse } from './parser.js'
import { readServer } from './servers.js'
import { readUpgradeMaps } from './upgrade.js'
import { Upstreams } from './upstreams.js'

/** nginx's defaults where those of `tsha.yaml` differ. */
const DEFAULT_WORKER_PROCESSES = 1
const DEFAULT_WORKER_CONNECTIONS = 512

/**
 * Reads the text of a `nginx.conf` and of the files that it includes. A directive without a meaning
 * for tsha is listed as ignored; any other one that tsha does not have is a problem.
 */
export async function readNginxConf(
  file: string,
  text: string,
  machine: Pick<Machine, 'isRoot'>
): Promise<Source> {
  const { directives, problems } = await parse(file, text)
  const report = new Report(problems, new Places(file))
  const main = new Block(directives, 'main', report)
  const value: Record<string, unknown> = {
    workers: DEFAULT_WORKER_PROCESSES,
    worker_connections: DEFAULT_WORKER_CONNECTIONS,
    logs: readErrorLog(main, report)
  }
  readUser(main, value, report)
  setInherited(value, 'workers', [], [main], 'worker_processes', report)
  setInherited(value, 'pid_file', [], [main], 'pid', report)
  readEvents(main, value, file, report)
  readHttp(main, value, file, report, machine.isRoot)
  const { places, ignored, notes } = report
  return { value, places, problems: report.problems, ignored, notes, isStrict: false }
}

function readUser(main: Block, value: Record<string, unknown>, report: Report): void {
  const directive = main.one('user')
  if (!directive) return
  const [user, group] = directive.args
  value['user'] = user?.text
  report.place(['user'], directive)
  if (!group) return
  value['group'] = group.text
  report.place(['group'], directive, 1)
}

function readEvents(
  main: Block,
  value: Record<string, unknown>,
  file: string,
  report: Report
): void {
  const directive = main.one('events')
  if (!directive) {
    const message = 'events is missing; use events { }'
    report.problem('TSHA_E_REQUIRED', message, { file, line: 1, column: 1 })
    return
  }
  const events = new Block(directive.block ?? [], 'events', report)
  setInherited(value, 'worker_connections', [], [events], 'worker_connections', report)
}

function readHttp(
  main: Block,
  value: Record<string, unknown>,
  file: string,
  report: Report,
  isRoot: boolean
): void {
  const directive = main.one('http')
  if (!directive) {
    const message = 'http is missing; use http { } with a server'
    report.problem('TSHA_E_REQUIRED', message, { file, line: 1, column: 1 })
    return
  }
  const http = new Block(directive.block ?? [], 'http', report)
  const formats = readLogFormats(http, report)
  const upgradeVariables = readUpgradeMaps(http, report)
  readBodyTempPath(http, value, report)
  const limitZones = readLimitZones(http, report)
  const upstreams = new Upstreams(http, report)
  const context = { http, upstreams, limitZones, formats, upgradeVariables, report, isRoot }
  const listeners: unknown[] = []
  for (const server of http.all('server')) {
    readServer(server, context, listeners)
  }
  if (http.all('server').length === 0) {
    report.problem(
      'TSHA_E_REQUIRED',
      'server is missing in http; use at least one',
      directive.position
    )
  }
  value['upstreams'] = upstreams.value
  value['listeners'] = listeners
}

function readBodyTempPath(http: Block, value: Record<string, unknown>, report: Report): void {
  setInherited(value, 'body_temp_path', [], [http], 'client_body_temp_path', report)
  if ((http.one('client_body_temp_path')?.args.length ?? 0) > 1) {
    report.notes.push('client_body_temp_path: the files have no names, so its levels mean nothing')
  }
}
