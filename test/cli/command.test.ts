import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const COMMAND = fileURLToPath(new URL('../../bin/tsha.js', import.meta.url))
const PAIR = fileURLToPath(new URL('../../../docs/examples/pair/', import.meta.url))

function tsha(...args: readonly string[]): { code: number | null; stdout: string; stderr: string } {
  const options = { encoding: 'utf8', timeout: 20_000 } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], options)
  return { code: status, stdout, stderr }
}

t.test('--help tells the commands, the flags and the exit codes', (t) => {
  const { code, stdout, stderr } = tsha('--help')
  t.equal(code, 0)
  t.equal(stderr, '')
  for (const word of ['tsha run', 'tsha check', '--role', '--config', '--keepalived-conf']) {
    t.match(stdout, word)
  }
  t.match(stdout, /Exit codes: 0 .* 1 .* 2 /)
  t.end()
})

t.test('--version is that of package.json', (t) => {
  t.match(tsha('--version'), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/, stderr: '' })
  t.end()
})

t.test('check tells what a configuration comes to, without the password', (t) => {
  const { code, stdout, stderr } = tsha('check', '--role', 'backup', '--config', `${PAIR}tsha.yaml`)
  t.equal(code, 0)
  t.equal(stderr, '')
  t.match(stdout, /virtual router nginx: interface ens160, VRID 51, priority 90/)
  t.notMatch(stdout, '123456')
  t.match(stdout, /[^\n]\n$/)
  t.end()
})

t.test('wrong flags: one message, exit code 2', (t) => {
  const refusals: readonly (readonly [flags: readonly string[], message: RegExp])[] = [
    [['--rolle', 'master'], /^tsha: unknown argument: rolle \[TSHA_E_FLAG\]\n$/],
    [['--role', 'primary'], /primary.*master.*backup.*\[TSHA_E_FLAG\]\n$/s],
    [['--config', 'a', '--nginx-conf', 'b'], /config.*nginx-conf.*\[TSHA_E_FLAG\]\n$/],
    [['check', '--config', '/nonexistent.yaml'], /\/nonexistent\.yaml.*\[TSHA_E_FILE\]\n$/],
    [['chekc'], /chekc.*\[TSHA_E_FLAG\]\n$/]
  ]
  for (const [flags, message] of refusals) {
    const { code, stdout, stderr } = tsha(...flags)
    t.equal(code, 2, flags.join(' '))
    t.equal(stdout, '')
    t.match(stderr, message)
  }
  t.end()
})
