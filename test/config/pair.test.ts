import { chmodSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../src/config/load.js'
import type { Config, LoadedConfig, Role } from '../../src/config/model.js'
import { ROOT_MACHINE, readExample } from './support.js'
import type { TestDirectory } from './support.js'

/** Loads the old files of one director from a directory that stands for `/etc`. */
async function loadOldFiles(
  t: TestDirectory,
  which: Role,
  { withNginx }: { withNginx: boolean }
): Promise<{ loaded: LoadedConfig; directory: string }> {
  const directory = t.testdir({
    'check_nginx.sh': await readExample('check_nginx.sh'),
    'mime.types': 'types {\n    text/html html htm;\n}\n'
  })
  chmodSync(join(directory, 'check_nginx.sh'), 0o755)
  const keepalivedText = await readExample(`keepalived-${which}.conf`)
  const nginxText = await readExample('nginx.conf')
  const keepalivedConf = join(directory, 'keepalived.conf')
  const nginxConf = join(directory, 'nginx.conf')
  await writeFile(keepalivedConf, keepalivedText.replaceAll('/etc/keepalived', directory))
  await writeFile(
    nginxConf,
    nginxText.replaceAll('/etc/nginx', directory).replaceAll('/usr/share/nginx', directory)
  )
  const files = withNginx ? { keepalivedConf, nginxConf } : { keepalivedConf }
  return { loaded: await loadConfig({ role: null, ...files }, ROOT_MACHINE), directory }
}

function loadYaml(role: Role): Promise<LoadedConfig> {
  const config = new URL('../../../docs/examples/pair/tsha.yaml', import.meta.url).pathname
  return loadConfig({ role, config }, ROOT_MACHINE)
}

const MAIN_FORMAT =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent ' +
  '"$http_referer" "$http_user_agent" "$http_x_forwarded_for"'

t.test('the old files of the master together make this model', async (t) => {
  const { loaded } = await loadOldFiles(t, 'master', { withNginx: true })
  const accessLogs = [{ path: '/var/log/nginx/access.log', format: MAIN_FORMAT }]
  t.strictSame(loaded.config, {
    role: 'master',
    routerId: 'NGINX_MASTER',
    virtualRouters: [
      {
        name: 'nginx',
        interface: 'ens160',
        vrid: 51,
        version: 2,
        family: 'ipv4',
        priority: 100,
        initialState: 'master',
        advertIntervalMs: 1000,
        downTimerAdverts: 3,
        authentication: { type: 'pass', password: '123456' },
        checksumPseudoHeader: true,
        addresses: [
          {
            address: '192.168.64.200',
            prefixLength: 24,
            interface: null,
            broadcast: null,
            label: null,
            scope: null,
            noPrefixRoute: false,
            peer: null,
            isDeprecated: false,
            noTrack: false
          }
        ],
        excludedAddresses: [],
        sourceAddress: null,
        multicastGroup: '224.0.0.18',
        unicast: null,
        preempt: true,
        preemptDelayMs: 0,
        answersLowerPriority: true,
        yieldsWithAdvert: false,
        ignoresAdverts: false,
        tracksInterface: true,
        promotesSecondaries: false,
        announcements: {
          repeat: 5,
          delayMs: 5000,
          refreshMs: 0,
          refreshRepeat: 1,
          lowerPriorityRepeat: 5,
          lowerPriorityDelayMs: 5000,
          garpIntervalMs: 0,
          gnaIntervalMs: 0,
          gateway: null
        },
        track: [{ kind: 'service', check: 'service', weight: -20, reverse: false }],
        notify: {
          master: null,
          backup: null,
          fault: null,
          stop: null,
          deleted: null,
          any: null,
          masterRxLowerPriority: null
        },
        tellsPriority: false,
        handOver: 'make-before-break',
        addressLeaseMs: 2000
      }
    ],
    syncGroups: [],
    election: {
      startupDelayMs: 0,
      delayAfterBootMs: 0,
      notifyFifo: null,
      linkDelays: [],
      nice: -20,
      realtimePriority: 1,
      lockMemory: false,
      logUnknownVrids: false
    },
    scripts: [],
    processes: [],
    files: [],
    serviceCheck: { intervalMs: 2000, timeoutMs: 2000, rise: 1, fall: 1 },
    proxy: {
      workers: 4,
      user: 'nginx',
      group: null,
      workerConnections: 1024,
      bodyTempPath: '/var/tmp',
      resolveIntervalMs: 10_000,
      errorLog: { path: '/var/log/nginx/error.log', level: 'error' },
      upstreams: [
        {
          name: 'web',
          servers: [
            {
              host: '192.168.64.143',
              port: 80,
              writtenAs: '192.168.64.143',
              weight: 1,
              maxConns: 0,
              maxFails: 2,
              failTimeoutMs: 3000,
              down: false,
              backup: false,
              slowStartMs: 0,
              recovery: 'probe'
            },
            {
              host: '192.168.64.138',
              port: 80,
              writtenAs: '192.168.64.138',
              weight: 1,
              maxConns: 0,
              maxFails: 2,
              failTimeoutMs: 3000,
              down: false,
              backup: false,
              slowStartMs: 0,
              recovery: 'probe'
            }
          ],
          keepalive: { connections: 256, timeoutMs: 60000, requests: 1000, lifetimeMs: 3600000 },
          acceptBareLf: false,
          balance: { method: 'round_robin' },
          queue: null,
          lastResort: true,
          retryBudget: { percent: 20, min: 3 },
          check: null
        }
      ],
      servers: [
        {
          listen: { host: '0.0.0.0', port: 80 },
          isDefault: false,
          names: ['_'],
          routes: [
            {
              path: '/',
              exact: false,
              upstream: 'web',
              setHeaders: [
                ['Host', '$host'],
                ['X-Real-IP', '$remote_addr'],
                ['X-Forwarded-For', '$proxy_add_x_forwarded_for'],
                ['X-Forwarded-Proto', '$scheme']
              ],
              connectTimeoutMs: 3000,
              sendTimeoutMs: 10000,
              readTimeoutMs: 10000,
              tunnelTimeoutMs: null,
              nextUpstream: ['error', 'timeout', 'http_500', 'http_502', 'http_503', 'http_504'],
              nextUpstreamTries: 0,
              nextUpstreamTimeoutMs: 0,
              maxBodySize: 1048576,
              requestBuffering: true,
              bodyBufferSize: 1048576,
              accessLogs
            }
          ],
          keepaliveTimeoutMs: 65000,
          keepaliveRequests: 1000,
          acceptBareLf: false,
          maxConnectionsPerClient: 0,
          clientHeaderTimeoutMs: 60000,
          clientBodyTimeoutMs: 60000,
          sendTimeoutMs: 60000,
          accessLogs
        }
      ]
    },
    pidFile: '/run/nginx.pid',
    admin: {
      socket: '/run/tsha/admin.sock',
      socketGroup: null,
      listen: null,
      recordings: '/var/lib/tsha'
    }
  } satisfies Config)
  t.strictSame(loaded.ignored, [
    'sendfile',
    'tcp_nopush',
    'tcp_nodelay',
    'types_hash_max_size',
    'types',
    'default_type'
  ])
})

t.test(
  'with both old files the script that looks for nginx gives way to the service check',
  async (t) => {
    const { loaded, directory } = await loadOldFiles(t, 'master', { withNginx: true })
    t.strictSame(loaded.notes, [
      "vrrp_instance nginx: failed checks lower its priority from 100 to 80; the partner's priority must be above 80",
      `vrrp_script chk_nginx: ${directory}/check_nginx.sh looks for a process named nginx; tsha is the proxy here ` +
        'and asks its own data path instead, every 2s, fall 1, rise 1, weight -20'
    ])
  }
)

t.test('keepalived.conf alone runs its script exactly as written', async (t) => {
  const { loaded, directory } = await loadOldFiles(t, 'backup', { withNginx: false })
  t.equal(loaded.config.role, 'backup')
  t.equal(loaded.config.routerId, 'NGINX_BACKUP')
  t.equal(loaded.config.proxy, null)
  t.equal(loaded.config.serviceCheck, null)
  t.equal(loaded.config.virtualRouters[0]?.priority, 90)
  t.strictSame(loaded.config.virtualRouters[0]?.track, [
    { kind: 'script', check: 'chk_nginx', weight: -20, reverse: false }
  ])
  t.strictSame(loaded.config.scripts, [
    {
      name: 'chk_nginx',
      command: [`${directory}/check_nginx.sh`],
      user: null,
      group: null,
      initFail: false,
      intervalMs: 2000,
      timeoutMs: 2000,
      rise: 1,
      fall: 1
    }
  ])
  t.strictSame(loaded.notes, [])
})

for (const role of ['master', 'backup'] as const) {
  t.test(
    `tsha.yaml and the old files of the ${role} are one model but for paths and the workers' user`,
    async (t) => {
      const { loaded } = await loadOldFiles(t, role, { withNginx: true })
      const yaml = await loadYaml(role)
      const text = JSON.stringify(yaml.config)
      t.match(text, '/var/log/tsha/access.log')
      t.strictSame(JSON.parse(text.replaceAll('/var/log/tsha/', '/var/log/nginx/')), {
        ...loaded.config,
        proxy: { ...loaded.config.proxy, user: 'nobody' },
        pidFile: null,
        admin: {
          socket: '/run/tsha/admin.sock',
          socketGroup: null,
          listen: null,
          recordings: '/var/lib/tsha'
        }
      })
      t.strictSame(yaml.ignored, [])
      t.strictSame(yaml.notes, [])
    }
  )
}
