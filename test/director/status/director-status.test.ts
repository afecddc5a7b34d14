import { writeFileSync } from 'node:fs'
import t from 'tap'
import { configurationHash } from '../../../src/config/hash.js'
import { loadConfig } from '../../../src/config/load.js'
import { Director } from '../../../src/director/director.js'
import { Journal } from '../../../src/director/status/journal.js'
import { VERSION } from '../../../src/director/version.js'
import { journaledLog } from '../../../src/director/log.js'
import { openSystemdNotifier } from '../../../src/linux/sd-notify.js'
import { Arrivals, enterOwnNetwork, ip, layCable } from '../../netns/lab/own-network.js'
import { cannotRun } from '../../netns/lab/requirements.js'

t.setTimeout(60_000)

const PASSWORD = 'S3cretPw'

const YAML = `
roles:
  master: { priority: 100, router_id: director1 }
  backup: { priority: 90 }
virtual_routers:
  inside:
    interface: in0
    vrid: 51
    advert_interval: 1s
    authentication: { type: pass, password: "${PASSWORD}" }
    addresses: [10.1.0.200/24]
    track:
      - { check: service, interval: 1s, fall: 1, rise: 1, weight: -20 }
upstreams:
  web:
    servers: [{ address: "127.0.0.1:9" }, { address: "127.0.0.2:9" }]
listeners:
  - address: "127.0.0.1:8080"
    server_names: [example.org]
    routes: [{ path: /, upstream: web }]
workers: 1
`

await t.test(
  'a real director: its status, its events and no secret',
  { skip: cannotRun() },
  async (t) => {
    enterOwnNetwork()
    layCable('in0', 'in1')
    ip('addr add 10.1.0.1/24 dev in0', 'link set lo up')
    const folder = t.testdir({})
    const file = `${folder}/tsha.yaml`
    writeFileSync(file, `${YAML}body_temp_path: ${folder}\n`)
    const { config, files } = await loadConfig({ role: 'master', config: file })
    t.same(files, [file])

    const journal = new Journal()
    const written: string[] = []
    const arrivals = new Arrivals<string>()
    journal.onEvent(({ text, details }) => {
      arrivals.add(`${text} ${JSON.stringify(details['to'])}`)
    })
    const log = journaledLog(journal, (line) => written.push(line))
    const hash = configurationHash(config)
    const source = { role: 'master' as const, config: file }
    const systemd = openSystemdNotifier({})
    const director = new Director(config, source, log, systemd, { journal, files, hash })
    t.teardown(() => director.stop({ graceMs: 0 }))
    t.match(
      director.status(),
      { virtual_routers: [], proxy: null, problems: [] },
      'before the start'
    )
    await director.start()
    await arrivals.first((line) => line === 'vrrp state change "master"', 'master')
    const status = director.status()
    t.match(status, {
      version: VERSION,
      role: 'master',
      router_id: 'director1',
      configuration: { files, hash, last_reload: null },
      virtual_routers: [
        {
          name: 'inside',
          state: 'master',
          reason: 'master-down-expired',
          because: [/^no master was heard since \d\d:\d\d:\d\dZ, when we began to listen$/],
          addresses: ['10.1.0.200/24'],
          effective_priority: 100,
          effects: [],
          counters: { become_master: 1, advert_sent: 1 }
        }
      ],
      checks: [
        { kind: 'service', name: 'service', passes: true, detail: null },
        { kind: 'interface', name: 'in0', passes: true, detail: null }
      ],
      proxy: {
        state: 'running',
        workers: [{ state: 'listening' }],
        listeners: [{ listen: '127.0.0.1:8080', servers: ['example.org'] }],
        upstreams: [{ name: 'web', peers: [{ name: '127.0.0.1:9', state: 'up' }, {}] }]
      },
      problems: []
    })
    t.strictSame(JSON.parse(JSON.stringify(status)), status, 'it survives JSON')

    ip('link set in1 down')
    await arrivals.first((line) => line === 'vrrp state change "fault"', 'fault')
    t.match(director.status().virtual_routers[0], {
      state: 'fault',
      because: [/its interface is down or gone$/, /^interface in0 is down since /],
      effects: [{ what: 'interface in0', detail: 'is down', added: 0, is_fault: true }]
    })
    t.same(director.status().problems, [
      'nobody is known to hold the addresses of virtual router inside',
      'virtual router inside is out of the election: interface in0 is down'
    ])

    await director.stop({ graceMs: 0 })
    const told = JSON.stringify([director.status(), journal.events(), written])
    t.ok(written.length > 5)
    t.same(written.length, journal.events().length, 'each line is an event')
    for (const form of ['base64', 'hex', 'latin1'] as const) {
      t.notMatch(told, Buffer.from(PASSWORD).toString(form), form)
    }
    t.notMatch(told, [...Buffer.from(PASSWORD)].join(','), 'as bytes')
  }
)
