import t from 'tap'
import { fullName, pickPeers, pickRouters } from '../../src/cli/pick.js'
import { BACKUP, MASTER, PEER, PROXY, statusOf } from './statuses.js'

const peer = (name: string) => ({ ...PEER, name })
const STATUS = statusOf({
  virtual_routers: [MASTER, { ...BACKUP, name: 'nginx6' }, { ...BACKUP, name: 'mail' }],
  proxy: {
    ...PROXY,
    upstreams: [
      {
        name: 'web',
        balance: 'round-robin',
        peers: [peer('web1:80'), peer('web10:80'), peer('[2001:db8::1]:80')]
      },
      { name: 'app', balance: 'least-conn', peers: [peer('web1:8080'), peer('unix:/run/app.sock')] }
    ]
  }
})

t.test('a peer is found by its name, its host or the beginning of either', (t) => {
  const found: readonly (readonly [typed: string, peer: string])[] = [
    ['web1:80', 'web/web1:80'],
    ['web/web1:80', 'web/web1:80'],
    ['app/web1', 'app/web1:8080'],
    ['web/web1', 'web/web1:80'],
    ['web10', 'web/web10:80'],
    ['2001:db8::1', 'web/[2001:db8::1]:80'],
    ['unix', 'app/unix:/run/app.sock'],
    ['app/u', 'app/unix:/run/app.sock']
  ]
  for (const [typed, expected] of found) {
    t.strictSame(pickPeers(typed, STATUS, false).map(fullName), [expected], typed)
  }
  t.end()
})

t.test('what can be several peers is refused with the list of them, and taken with --all', (t) => {
  t.throws(() => pickPeers('web1', STATUS, false), {
    code: 'TSHA_E_UNKNOWN_NAME',
    exitCode: 2,
    message: 'web1 can be several peers; name one of them, or all with --all:',
    problems: ['web/web1:80', 'app/web1:8080']
  })
  t.strictSame(pickPeers('web1', STATUS, true).map(fullName), ['web/web1:80', 'app/web1:8080'])
  t.end()
})

t.test('a peer that is not there is refused with the list of those that are', (t) => {
  t.throws(() => pickPeers('web2', STATUS, true), {
    message: 'there is no peer web2; there are:',
    problems: [
      'web/web1:80',
      'web/web10:80',
      'web/[2001:db8::1]:80',
      'app/web1:8080',
      'app/unix:/run/app.sock'
    ]
  })
  t.throws(() => pickPeers('web1', statusOf({ proxy: null }), false), {
    message: 'there is no peer web1: this director has no upstreams',
    problems: []
  })
  t.end()
})

t.test('a virtual router is found by its name or the beginning of it', (t) => {
  const names = (typed: string | undefined) => pickRouters(typed, STATUS).map(({ name }) => name)
  t.strictSame(names(undefined), ['nginx', 'nginx6', 'mail'])
  t.strictSame(names('nginx'), ['nginx'], 'an exact name wins')
  t.strictSame(names('m'), ['mail'])
  t.throws(() => names('ng'), {
    message: 'ng can be several virtual routers; name one of them:',
    problems: ['nginx', 'nginx6']
  })
  t.throws(() => names('x'), {
    message: 'there is no virtual router x; there are:',
    problems: ['nginx', 'nginx6', 'mail']
  })
  t.end()
})
