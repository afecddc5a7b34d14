import t from 'tap'
import { checkLine, judge } from '../../src/cli/verdict.js'
import { BACKUP, MASTER, OUT_PEER, PEER, PROXY, PROXY_WITH_OUT, statusOf } from './statuses.js'

const FIGURES = 'masters=1 peers_up=2 peers=2 requests_per_second=241.2 uptime=7506s'

t.test('a director that is well is OK, and says who it is', (t) => {
  t.same(judge(statusOf()), {
    verdict: 'OK',
    line: `TSHA OK - nginx is MASTER of 192.168.64.200 | ${FIGURES}`
  })
  t.match(
    judge(statusOf({ virtual_routers: [], proxy: PROXY })).line,
    /^TSHA OK - the proxy is running \|/
  )
  t.end()
})

t.test('a problem that the pair survives is a WARNING', (t) => {
  const problem = 'upstream web: 192.168.64.138:80 is out'
  t.match(judge(statusOf({ problems: [problem], proxy: PROXY_WITH_OUT })), {
    verdict: 'WARNING',
    line: 'TSHA WARNING - upstream web: 192.168.64.138:80 is out | masters=1 peers_up=1 peers=2 '
  })
  t.match(judge(statusOf({ virtual_routers: [{ ...BACKUP, stepped_down: true }] })), {
    verdict: 'WARNING',
    line: 'TSHA WARNING - nginx was stepped down |'
  })
  const upstreams = [
    { name: 'web', balance: 'round-robin', peers: [PEER, { ...OUT_PEER, state: 'drain' as const }] }
  ]
  t.match(judge(statusOf({ proxy: { ...PROXY, upstreams } })), {
    verdict: 'WARNING',
    line: 'TSHA WARNING - web/192.168.64.138:80 is drain by hand |'
  })
  t.end()
})

t.test('what clients feel, or would with a dead partner, is CRITICAL', (t) => {
  const lines = [
    statusOf({ virtual_routers: [{ ...MASTER, state: 'fault' }] }),
    statusOf({ virtual_routers: [{ ...MASTER, state: 'initialize' }] }),
    statusOf({ virtual_routers: [{ ...BACKUP, master: null }] }),
    statusOf({ proxy: { ...PROXY, state: 'stopped' } }),
    statusOf({ proxy: { ...PROXY, workers: [] } }),
    statusOf({
      proxy: { ...PROXY, upstreams: [{ name: 'web', balance: 'round-robin', peers: [OUT_PEER] }] }
    })
  ].map((status) => judge(status).line.replace(/ \|.*/, ''))
  t.strictSame(lines, [
    'TSHA CRITICAL - nginx is FAULT',
    'TSHA CRITICAL - nginx is INITIALIZE',
    'TSHA CRITICAL - nginx is BACKUP and hears no master',
    'TSHA CRITICAL - the proxy is stopped',
    'TSHA CRITICAL - the proxy serves nobody: no worker listens',
    'TSHA CRITICAL - upstream web has no peer that is up'
  ])
  t.end()
})

t.test('what was said cannot be taken for figures or a second line', (t) => {
  t.equal(checkLine('UNKNOWN', 'a | b\nc'), 'TSHA UNKNOWN - a / b c')
  t.end()
})
