import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { exposition } from '../../src/admin/exposition.js'
import { METRICS, VRRP_COUNTERS } from '../../src/admin/metrics.js'
import { COUNTERS } from '../../src/vrrp/counters.js'
import { isInstalled } from '../netns/lab/requirements.js'
import { FULL_STATUS } from './full-status.js'

const text = await exposition(FULL_STATUS)
const lines = text.split('\n')

/** The lines of a metric without its help and type. */
function linesOf(name: string): string[] {
  return lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
}

t.test('what is counted of requests and attempts', (t) => {
  t.same(linesOf('tsha_http_requests_total'), [
    'tsha_http_requests_total{listen="0.0.0.0:80",code="200"} 100',
    'tsha_http_requests_total{listen="0.0.0.0:80",code="502"} 3'
  ])
  t.same(linesOf('tsha_upstream_attempts_total').slice(0, 2), [
    'tsha_upstream_attempts_total{upstream="web",peer="192.168.64.143:80",result="200"} 5',
    'tsha_upstream_attempts_total{upstream="web",peer="192.168.64.143:80",result="connect"} 2'
  ])
  t.same(linesOf('tsha_http_sent_bytes_total'), [
    'tsha_http_sent_bytes_total{listen="0.0.0.0:80"} 6000000000'
  ])
  t.same(linesOf('tsha_upstream_peer_up'), [
    'tsha_upstream_peer_up{upstream="web",peer="192.168.64.143:80"} 1',
    'tsha_upstream_peer_up{upstream="web",peer="192.168.64.138:80"} 0'
  ])
  t.end()
})

t.test('one status is written once, however many ask', (t) => {
  t.equal(exposition(FULL_STATUS), exposition(FULL_STATUS))
  t.not(exposition({ ...FULL_STATUS }), exposition(FULL_STATUS))
  t.end()
})

t.test('a histogram adds its classes up', (t) => {
  const name = 'tsha_http_request_duration_seconds'
  t.same(
    lines.filter((line) => line.startsWith(name)),
    [
      `${name}_bucket{listen="0.0.0.0:80",le="0.001"} 3`,
      `${name}_bucket{listen="0.0.0.0:80",le="0.01"} 5`,
      `${name}_bucket{listen="0.0.0.0:80",le="+Inf"} 6`,
      `${name}_sum{listen="0.0.0.0:80"} 0.25`,
      `${name}_count{listen="0.0.0.0:80"} 6`
    ]
  )
  t.end()
})

t.test('what is known of the election, the checks and the configuration', (t) => {
  t.same(linesOf('tsha_vrrp_state'), [
    'tsha_vrrp_state{router="VI_1",state="initialize"} 0',
    'tsha_vrrp_state{router="VI_1",state="backup"} 0',
    'tsha_vrrp_state{router="VI_1",state="master"} 1',
    'tsha_vrrp_state{router="VI_1",state="fault"} 0'
  ])
  t.same(linesOf('tsha_vrrp_advert_sent_total'), ['tsha_vrrp_advert_sent_total{router="VI_1"} 2'])
  t.same(linesOf('tsha_vrrp_last_change_timestamp_seconds'), [
    'tsha_vrrp_last_change_timestamp_seconds{router="VI_1"} 1795345205.5'
  ])
  t.same(linesOf('tsha_check_passes'), [
    'tsha_check_passes{kind="service",check="service"} 1',
    'tsha_check_passes{kind="script",check="say \\"hi\\""} 0'
  ])
  t.same(linesOf('tsha_configuration_last_reload_successful'), [
    'tsha_configuration_last_reload_successful 0'
  ])
  t.same(linesOf('tsha_workers'), [
    'tsha_workers{state="starting"} 0',
    'tsha_workers{state="listening"} 2',
    'tsha_workers{state="ending"} 1'
  ])
  t.end()
})

t.test('every metric has a value, and the labels that it says', (t) => {
  for (const { name, labels, read } of METRICS) {
    const samples = read(FULL_STATUS)
    t.ok(samples.length > 0, name)
    for (const sample of samples) t.same(Object.keys(sample.labels), labels, name)
  }
  t.end()
})

t.test('every counter of VRRP is among them', (t) => {
  t.same(Object.keys(VRRP_COUNTERS), COUNTERS)
  t.end()
})

t.test('a director without a proxy tells the rest', async (t) => {
  const without = await exposition({ ...FULL_STATUS, proxy: null })
  t.match(without, 'tsha_vrrp_master{router="VI_1"} 1')
  t.notMatch(without, /tsha_(http|upstream|worker|proxy)/)
})

t.test(
  'promtool finds nothing to say',
  { skip: !isInstalled('promtool') && 'needs promtool' },
  (t) => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
      timeout: 30_000
    })
    t.equal(`${stdout}${stderr}`, '')
    t.equal(status, 0)
    t.end()
  }
)

t.test('docs/metrics.md has each metric with its type and labels, and no other', (t) => {
  const docs = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')
  const rows = [...docs.matchAll(/^\| `(tsha_\w+)` \| (\w+) \| ([^|]*) \|/gm)].map(
    ([, name, type, labels = '']) => ({
      name,
      type,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label)
    })
  )
  t.same(
    rows,
    METRICS.map(({ name, type, labels }) => ({ name, type, labels }))
  )
  t.end()
})
