import { spawnSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import t from 'tap'
import { COMMAND, FakeDirector, FakeStream, json, Running, type Answer } from './fake-director.js'
import { BACKUP, statusOf } from './statuses.js'

t.jobs = 3

/** What a terminal is sent: colours, alternate screen, cursor. */
const ENTER = '\u001B[?1049h\u001B[?25l\u001B[?7l'
const LEAVE = '\u001B[?7h\u001B[?25h\u001B[?1049l'

const hasScript = spawnSync('script', ['--version']).status === 0
const skip = hasScript ? false : 'needs script of util-linux'

interface Teardown {
  readonly teardown: (end: () => Promise<void>) => void
}

async function director(
  t: Teardown,
  answers: Readonly<Record<string, Answer>> = {}
): Promise<FakeDirector> {
  const fake = new FakeDirector({ 'GET /v1/status': json(statusOf()), ...answers })
  t.teardown(() => fake.remove())
  await fake.listen()
  // The command is found by its name, as it is where it is installed.
  symlinkSync(COMMAND, join(fake.folder, 'tsha'))
  return fake
}

/** A shell line in a pseudo-terminal of 100 columns and 40 rows. */
function inTerminal(
  t: Teardown,
  fake: FakeDirector,
  line: string,
  env: NodeJS.ProcessEnv = {}
): Running {
  const running = new Running('script', ['-qec', `stty rows 40 cols 100; ${line}`, '/dev/null'], {
    TERM: 'xterm-256color',
    SHELL: '/bin/bash',
    TSHA_SOCKET: fake.socket,
    PATH: `${fake.folder}${delimiter}${process.env['PATH'] ?? ''}`,
    ...env
  })
  t.teardown(async () => {
    running.child.kill()
    await running.ended
  })
  return running
}

void t.test('a terminal gets colours, unless NO_COLOR has a value', { skip }, async (t) => {
  const fake = await director(t)
  const [coloured, plain] = await Promise.all([
    inTerminal(t, fake, 'tsha status').ended,
    inTerminal(t, fake, 'tsha status', { NO_COLOR: '1' }).ended
  ])
  t.match(coloured.stdout, '\u001B[1mdirector1\u001B[22m (master)  \u001B[32mall is well\u001B[39m')
  t.match(coloured.stdout, 'example.org www.example.org', 'the width of the terminal is used')
  t.match(plain.stdout, 'director1 (master)  all is well')
  t.notMatch(plain.stdout, '\u001B')
})

void t.test(
  'status --watch is drawn in place, tells a lost connection, and leaves nothing behind',
  { skip },
  async (t) => {
    const stream = new FakeStream()
    const fake = await director(t, { 'GET /v1/events': stream.answer })
    const terminal = inTerminal(t, fake, 'stty -g; tsha status --watch; echo code=$?; stty -g')
    await terminal.said(/MASTER.*since/)
    t.ok(terminal.stdout.includes(ENTER))
    await stream.opened()
    stream.sendStatus(statusOf({ virtual_routers: [BACKUP] }))
    await terminal.said(/\u001B\[H.*BACKUP.*since/s)

    terminal.forget()
    await fake.close()
    await terminal.said(/CONNECTION LOST/)
    t.match(terminal.stdout, 'BACKUP', 'what was known last is still there')
    await fake.listen()
    await stream.opened()
    terminal.forget()
    stream.sendStatus(statusOf())
    // What was lost may be drawn once more before the new status is there.
    await terminal.said(/MASTER/)
    const screen = terminal.stdout.split('\u001B[H').find((drawn) => drawn.includes('MASTER'))
    t.notMatch(screen, 'CONNECTION LOST')

    terminal.child.stdin?.write('q')
    const { stdout } = await terminal.ended
    t.ok(stdout.includes(`${LEAVE}code=0`), 'the screen and the cursor are back')
  }
)

void t.test(
  'Ctrl-C and SIGTERM end a live view and give the terminal back as it was',
  { skip },
  async (t) => {
    const stream = new FakeStream()
    const fake = await director(t, { 'GET /v1/events': stream.answer })
    const byKey = inTerminal(t, fake, 'stty -g; tsha top; echo code=$?; stty -g')
    const bySignal = inTerminal(
      t,
      fake,
      "stty -g; sh -c 'echo pid=$$; exec tsha top'; echo code=$?; stty -g"
    )
    await Promise.all([byKey.said(/LISTEN/), bySignal.said(/LISTEN/)])
    byKey.child.stdin?.write('\u0003')
    process.kill(Number(/pid=(\d+)/.exec(bySignal.stdout)?.[1]), 'SIGTERM')
    for (const terminal of [byKey, bySignal]) {
      const { stdout } = await terminal.ended
      t.ok(stdout.includes(`${LEAVE}code=0`), 'the screen and the cursor are back')
      const modes = stdout.match(/^[0-9a-f]+(:[0-9a-f]+){10,}\r$/gm) ?? []
      t.equal(modes.length, 2)
      t.equal(modes[0], modes[1], 'echo and line input are as they were')
    }
  }
)

void t.test(
  'the tab key of bash completes commands, and peers with their colons',
  { skip },
  async (t) => {
    const done = json({ lines: ['it was done'] })
    const fake = await director(t, {
      'POST /v1/upstreams/web/peers/192.168.64.143%3A80': done,
      'POST /v1/upstreams/web/peers/192.168.64.138%3A80': done
    })
    const shell = inTerminal(t, fake, "PS1='$ ' exec bash --norc --noprofile -i")
    await shell.said(/\$ /)
    shell.child.stdin?.write('source <(tsha completion bash); echo ready-$((40+2))\n')
    await shell.said(/ready-42/)
    for (const typed of [
      'tsha dra\t192.168.64.14\t',
      'tsha drain 192.168.64.138:\t',
      'tsha up 192.168.64.138:8\t'
    ]) {
      shell.forget()
      shell.child.stdin?.write(typed)
      await shell.said(/:80 /)
      shell.child.stdin?.write('\n')
      await shell.said(/it was done/)
    }
    shell.child.stdin?.write('exit\n')
    await shell.ended
    t.same(
      fake.requests.filter((request) => request.startsWith('POST')),
      [
        'POST /v1/upstreams/web/peers/192.168.64.143%3A80 {"state":"drain"}',
        'POST /v1/upstreams/web/peers/192.168.64.138%3A80 {"state":"drain"}',
        'POST /v1/upstreams/web/peers/192.168.64.138%3A80 {"state":"up"}'
      ]
    )
  }
)
