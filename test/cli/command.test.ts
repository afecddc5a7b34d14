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
  for (const group of ['Look:', 'Act:', 'The director:', 'Files and tools:']) t.match(stdout, group)
  for (const word of ['status', 'drain PEER', 'why [ROUTER]', 'run', 'check', '--role']) {
    t.ok(stdout.includes(word), word)
  }
  t.match(stdout, /Exit codes: 0 .* 1 .* 2 .* 3 /)
  t.ok(
    stdout.split('\n').every((line) => line.length <= 100),
    'it is readable in 100 columns'
  )
  t.end()
})

t.test('the help of a command tells its flags, values and examples', (t) => {
  const { code, stdout } = tsha('drain', '--help')
  t.equal(code, 0)
  for (const word of [
    'tsha drain <peer>',
    '--wait',
    '--at-most',
    '--socket',
    'tsha drain web1 --wait'
  ]) {
    t.ok(stdout.includes(word), word)
  }
  const run = tsha('run', '--help').stdout
  for (const word of ['--role', '--config', '--keepalived-conf', '--admin-socket']) {
    t.ok(run.includes(word), word)
  }
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

t.test('a dash stands for standard input', (t) => {
  const line = `echo '{}' | '${process.execPath}' '${COMMAND}' replay -`
  const { status, stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8', timeout: 20_000 })
  t.equal(status, 2)
  t.match(stderr, /^-:1:1: type is missing \[TSHA_E_RECORDING\]\n$/)
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
