import type { Host } from './host.js'
import { TSHA_COMMAND } from './pair-files.js'
import type { TshaDirector } from './tsha.js'

const SOCKET = '/run/tsha/admin.sock'
const FETCHED = '/run/recording.jsonl'
/** Where a director that died has left its recordings. */
export const RECORDINGS = '/var/lib/tsha'
const WRITE_TIMEOUT_MS = 5000
const LOOK_AGAIN_MS = 20

/** Asks a director for what it has recorded, and replays that; resolves with what the replay says. */
export async function replayDirector({ host }: TshaDirector): Promise<string> {
  const options = ['--silent', '--show-error', '--fail', '--max-time', '5']
  const places = ['--unix-socket', SOCKET, '--output', FETCHED, 'http://localhost/v1/recording']
  await host.must('curl', ...options, ...places)
  return replayFile(host, FETCHED)
}

/**
 * Replays a file on a machine of the lab.
 *
 * @throws {Error} when a decision comes out differently, or the file is none
 */
export async function replayFile(host: Host, file: string): Promise<string> {
  const { code, stdout, stderr } = await host.run(process.execPath, [TSHA_COMMAND, 'replay', file])
  if (code !== 0) throw new Error(`the replay of ${file} ends with ${code}:\n${stdout}${stderr}`)
  return stdout
}

/** Resolves with the path of the one recording that a director left when it died. */
export async function waitForRecording(host: Host): Promise<string> {
  const deadline = Date.now() + WRITE_TIMEOUT_MS
  for (;;) {
    const { stdout } = await host.run('ls', [RECORDINGS])
    const name = stdout.trim()
    if (/^tsha-\S+\.jsonl$/.test(name)) return `${RECORDINGS}/${name}`
    if (Date.now() > deadline) throw new Error(`no recording in ${RECORDINGS}, but: ${name}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
  }
}
