import t from 'tap'
import { Lab } from './lab/lab.js'
import { cannotRun } from './lab/requirements.js'
import { tshaAsNobody } from './lab/unprivileged.js'

t.setTimeout(60_000)

const NGINX_CONF = `
worker_processes auto;
error_log /tmp/plain/error.log;
pid /tmp/plain/tsha.pid;
events {}
http {
  access_log /tmp/plain/access.log;
  upstream web { server 192.168.64.143; server 192.168.64.138; }
  server { listen 8080; location / { proxy_pass http://web; } }
}
`

await t.test(
  'nginx.conf alone: a reverse proxy that needs no privilege above port 1023',
  { skip: cannotRun('nginx', 'setpriv', 'curl') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    await Promise.all([lab.web1.start(), lab.web2.start()])
    const host = lab.host('director1')
    await host.must('mount', '-t', 'tmpfs', 'tmpfs', '/tmp')
    await host.must('install', '-d', '-o', '65534', '/tmp/plain')
    await host.writeFile('/tmp/plain/nginx.conf', NGINX_CONF)
    const [program = '', ...args] = await tshaAsNobody(host)
    const tsha = await host.spawn(program, [...args, '--nginx-conf', '/tmp/plain/nginx.conf'])
    await tsha.lines.waitFor((line) => line.text.includes('"msg":"tsha runs"'), 'start', 10_000)

    const url = 'http://192.168.64.130:8080/'
    // On one connection: workers tell each other their turn, on a busy machine behind the next request.
    const client = await lab.host('client').run('curl', ['-sS', url, url, url, url])
    const answers = client.stdout.trim().split('\n').toSorted()
    t.strictSame(answers, ['This is web1', 'This is web1', 'This is web2', 'This is web2'])
    t.equal(
      await host.readFile('/tmp/plain/tsha.pid'),
      `${(await host.pids('tsha: director'))[0]}\n`
    )
    const workers = await host.pids('tsha: worker')
    t.ok(workers.length >= 2, 'auto is at least two')
    for (const worker of workers) {
      const status = await host.readFile(`/proc/${worker}/status`)
      t.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m)
    }

    await tsha.stop()
    t.strictSame(tsha.exit, { code: 0, signal: null })
    t.strictSame(await host.pidsOfProgram('node'), [], 'no process is left')
    const log = (await host.readFile('/tmp/plain/access.log')).trim().split('\n')
    t.equal(log.length, 4, 'the whole access log was written, without the service check')
    t.match(log[0], /^192\.168\.64\.10 - - \[.+\] "GET \/ HTTP\/1\.1" 200 13 "-" ".+"$/)
    await t.rejects(host.readFile('/tmp/plain/tsha.pid'), { code: 'ENOENT' }, 'no pid file is left')
  }
)
