import t from 'tap'
import { keepalivedJson } from '../../src/admin/keepalived-json.js'
import { statusOf } from '../../src/director/status/status.js'
import { Counters } from '../../src/vrrp/counters.js'
import { routerFacts, statusFacts } from '../director/status/status-support.js'
import { StoryPlay } from '../director/status/story-play.js'

/** What Debian's keepalived 2.2.7 wrote for a lonely master with `auth_pass 123456`. */
const DUMP = `[{"data":{"iname":"VI_1","dont_track_primary":0,"skip_check_adv_addr":0,"strict_mode":0,
"vmac_ifname":"","ifp_ifname":"ens160","master_priority":0,"last_transition":1795398861.159756,"garp_delay":5,
"garp_refresh":0,"garp_rep":5,"garp_refresh_rep":1,"garp_lower_prio_delay":5,"garp_lower_prio_rep":5,
"lower_prio_no_advert":0,"higher_prio_send_advert":0,"vrid":51,"base_priority":100,"effective_priority":100,
"vipset":true,"promote_secondaries":false,"adver_int":1,"master_adver_int":1,"accept":1,"nopreempt":false,
"preempt_delay":0,"state":2,"wantstate":2,"version":2,"smtp_alert":false,"notify_deleted":false,
"vips":["192.168.64.200\\/24 dev ens160 scope global set"],"track_script":["'\\/usr\\/bin\\/true'"],
"auth_type":1,"auth_data":"123456"},"stats":{"advert_rcvd":0,"advert_sent":2,"become_master":1,
"release_master":0,"packet_len_err":0,"advert_interval_err":0,"ip_ttl_err":0,"invalid_type_rcvd":0,
"addr_list_err":0,"invalid_authtype":0,"authtype_mismatch":0,"auth_failure":0,"pri_zero_rcvd":0,
"pri_zero_sent":0}}]`

type Dump = readonly { data: Record<string, unknown>; stats: Record<string, unknown> }[]

const ADDRESS = {
  address: '192.168.64.200',
  prefixLength: 24,
  interface: null,
  broadcast: null,
  label: null,
  scope: null,
  peer: null,
  noPrefixRoute: false,
  isDeprecated: false,
  noTrack: false
}

/** The same director with tsha, two advertisements after its start. */
function ours(): Dump {
  const play = new StoryPlay(100).start().wait(5000)
  const counters = new Counters()
  for (const name of ['advert_sent', 'advert_sent', 'become_master', 'chk_err'] as const) {
    counters.count(name)
  }
  const facts = routerFacts(play, { addresses: [ADDRESS] }, { statistics: counters.statistics })
  const status = statusOf(statusFacts({ elections: { routers: [facts], groups: [] } }), {
    wall: Date.parse('2026-03-01T12:00:05Z'),
    monotonic: 5000
  })
  return keepalivedJson(status)
}

t.test('what keepalived 2.2.7 dumps and tsha knows is told in the same names and kinds', (t) => {
  const [its] = JSON.parse(DUMP) as Dump
  const [mine] = ours()
  t.same(Object.keys(mine?.stats ?? {}), Object.keys(its?.stats ?? {}))
  t.same(mine?.stats, its?.stats)
  for (const [name, value] of Object.entries(mine?.data ?? {})) {
    t.equal(typeof value, typeof its?.data[name], name)
  }
  t.same(
    { ...mine?.data, last_transition: null, vips: null },
    {
      iname: 'VI_1',
      ifp_ifname: 'ens160',
      vrid: 51,
      version: 2,
      last_transition: null,
      base_priority: 100,
      effective_priority: 100,
      master_priority: 0,
      adver_int: 1,
      master_adver_int: 1,
      state: 2,
      wantstate: 2,
      vipset: true,
      vips: null
    }
  )
  t.same(mine?.data['vips'], ['192.168.64.200/24 dev ens160 set'])
  t.equal(mine?.data['last_transition'], Date.parse('2026-03-01T12:00:03.609Z') / 1000)
  t.end()
})

t.test('what is not told is known, and the password is', (t) => {
  const [its] = JSON.parse(DUMP) as Dump
  const known = Object.keys(ours()[0]?.data ?? {})
  const missing = Object.keys(its?.data ?? {}).filter((name) => !known.includes(name))
  t.same(missing, [
    'dont_track_primary',
    'skip_check_adv_addr',
    'strict_mode',
    'vmac_ifname',
    'garp_delay',
    'garp_refresh',
    'garp_rep',
    'garp_refresh_rep',
    'garp_lower_prio_delay',
    'garp_lower_prio_rep',
    'lower_prio_no_advert',
    'higher_prio_send_advert',
    'promote_secondaries',
    'accept',
    'nopreempt',
    'preempt_delay',
    'smtp_alert',
    'notify_deleted',
    'track_script',
    'auth_type',
    'auth_data'
  ])
  t.end()
})
