import { join } from 'node:path'
import type { Host } from './host.js'
import { REPOSITORY } from './pair-files.js'

/** User and group `nobody`. */
const NOBODY = '65534'
const PROGRAM_DIRECTORY = '/run/program'
const NODE = '/run/node'

/**
 * The command that runs the compiled `tsha` on a host as a user without any privilege. The repository
 * and Node may lie where that user cannot look, so the host sees both at open places too.
 */
export async function tshaAsNobody(host: Host): Promise<readonly string[]> {
  await host.must('mkdir', '-p', PROGRAM_DIRECTORY)
  await host.must('mount', '--bind', REPOSITORY, PROGRAM_DIRECTORY)
  await host.writeFile(NODE, '')
  await host.must('mount', '--bind', process.execPath, NODE)
  const drop = ['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups', '--bounding-set=-all']
  return ['setpriv', ...drop, '--inh-caps=-all', NODE, join(PROGRAM_DIRECTORY, 'dist/bin/tsha.js')]
}
