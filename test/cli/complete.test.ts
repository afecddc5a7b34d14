import t from 'tap'
import { COMMANDS } from '../../src/cli/commands.js'
import { complete } from '../../src/cli/complete.js'
import { namesOf } from '../../src/cli/live-names.js'
import { PEER, PROXY, statusOf } from './statuses.js'

const NAMES = { routers: ['nginx', 'mail'], peers: ['web1:80', 'web2:80', 'app/api:80'] }

const ask = (...words: readonly string[]): Promise<readonly string[]> =>
  complete(['tsha', ...words], COMMANDS, (what) => Promise.resolve(NAMES[what]))

await t.test('the first word is a command, or a flag of the default command', async (t) => {
  t.strictSame(await ask('st'), ['status', 'step-down'])
  t.strictSame(await ask('--ro'), ['--role'])
  t.strictSame(await ask('--role', ''), ['master', 'backup'])
  t.strictSame(await ask('--config', ''), [], 'file names are the business of the shell')
  t.equal((await ask('')).length, COMMANDS.length)
})

await t.test('names are those that the director knows', async (t) => {
  t.strictSame(await ask('drain', ''), ['web1:80', 'web2:80', 'app/api:80'])
  t.strictSame(await ask('drain', '--wait', 'web2'), ['web2:80'])
  t.strictSame(await ask('--socket', '/x', 'drain', 'a'), ['app/api:80'])
  t.strictSame(await ask('why', ''), ['nginx', 'mail'])
  t.strictSame(await ask('drain', 'web1:80', ''), [], 'one peer is enough')
  t.strictSame(await ask('weight', 'web1:80', ''), [], 'a weight is a number')
})

await t.test('flags are those of the command that are not given yet', async (t) => {
  t.strictSame(await ask('drain', '--w'), ['--wait'])
  t.strictSame(await ask('drain', '--wait', '--w'), [])
  t.strictSame(await ask('status', '--s'), ['--socket'])
  t.strictSame(await ask('events', '--level', 'e'), ['error'])
  t.strictSame(await ask('events', '--level=e'), ['--level=error'])
  t.strictSame(await ask('proxy', ''), ['stop', 'start'])
  t.strictSame(await ask('completion', 'z'), ['zsh'])
})

t.test('a peer that is in several upstreams is named with each', (t) => {
  const upstreams = ['web', 'app'].map((name) => ({
    name,
    balance: 'round-robin',
    peers: [{ ...PEER, name: 'web1:80' }, ...(name === 'app' ? [{ ...PEER, name: 'api:80' }] : [])]
  }))
  t.strictSame(namesOf('peers', statusOf({ proxy: { ...PROXY, upstreams } })), [
    'web/web1:80',
    'app/web1:80',
    'api:80'
  ])
  t.strictSame(namesOf('routers', statusOf()), ['nginx'])
  t.end()
})
