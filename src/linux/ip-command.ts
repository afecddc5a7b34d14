import { execFile } from 'node:child_process'
import { errnoOf } from '../errors.js'

/** `ip` talks to the kernel only; one that takes this long hangs. */
const TIMEOUT_MS = 2000

/** iproute2 lives in an sbin folder that the PATH of an ordinary user may lack. */
export const IP_ENVIRONMENT = {
  ...process.env,
  PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
  LC_ALL: 'C'
}

/** Follows what a command of a batch said when it failed. */
const BATCH_LINE = /^Command failed -:\d+$/

/** What a run of `ip` came to. */
export interface IpResult {
  readonly ok: boolean
  readonly stdout: string
  /** Why it failed, in one line. */
  readonly failure: string
}

/** A run of `ip` that is going on. */
export interface IpRun {
  /** Resolves when the process has ended, so that it can change nothing any more. */
  readonly result: Promise<IpResult>
  readonly kill: () => void
}

/** Runs `ip` with the given arguments; never rejects. Blocks the loop for its fork only (0.8 ms, measured). */
export function runIp(args: readonly string[]): Promise<IpResult> {
  return startIp(args).result
}

/**
 * As `runIp`, for several commands: one process carries them all out, also after one that fails, and
 * then `failure` has one part for each that failed.
 */
export function runIpCommands(commands: readonly (readonly string[])[]): Promise<IpResult> {
  return startIpCommands(commands).result
}

/** As `runIpCommands`, for a caller that may not want to wait for an `ip` that hangs. */
export function startIpCommands(commands: readonly (readonly string[])[]): IpRun {
  const [only = []] = commands
  if (commands.length === 1) return startIp(only)
  return startIp(['-force', '-batch', '-'], commands.map((args) => `${args.join(' ')}\n`).join(''))
}

/** As `runIp`, for a caller that may not want to wait for an `ip` that hangs. */
function startIp(args: readonly string[], input = ''): IpRun {
  let kill = (): void => undefined
  const result = new Promise<IpResult>((resolve) => {
    const child = execFile(
      'ip',
      args,
      { env: IP_ENVIRONMENT, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        resolve({ ok: error === null, stdout, failure: error ? explain(error, stderr) : '' })
      }
    )
    child.stdin?.on('error', () => undefined) // it ended before it read everything, which is told
    child.stdin?.end(input)
    kill = () => {
      child.kill('SIGKILL')
    }
  })
  return { result, kill }
}

function explain(error: Error & { killed?: boolean }, stderr: string): string {
  if (errnoOf(error) === 'ENOENT') return 'the ip command is missing; install iproute2'
  if (error.killed === true) return `ip did not end within ${TIMEOUT_MS} ms`
  const lines = stderr.trim().split('\n')
  const text = lines.filter((line) => !BATCH_LINE.test(line)).join('; ')
  return text === '' ? error.message : text
}
