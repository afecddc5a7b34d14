import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exampleConf } from './example-conf.js'
import { nginxTemporaryPaths } from './nginx-paths.js'
import type { Peer, PeerSetup } from './peer.js'

/** nginx with the very file that tsha runs from. */
export const nginx: Peer = {
  title: 'nginx, the same file',
  needs: 'nginx',
  start: (setup) => startNginx(setup, exampleConf(setup))
}

/** nginx that keeps its connections to the web servers, as tsha always does. */
export const nginxTuned: Peer = {
  title: 'nginx, tuned',
  needs: 'nginx',
  start: (setup) =>
    startNginx(
      setup,
      exampleConf(setup)
        .replace(/^( *)(# Two failures)/m, '$1keepalive 64;\n$1$2')
        .replace(/^( *)(proxy_pass .*)/m, tunedLocation)
    )
}

const tunedLocation = '$1$2\n$1proxy_http_version 1.1;\n$1proxy_set_header Connection "";'

function startNginx(setup: PeerSetup, text: string) {
  const { fleet, name, prefix } = setup
  const paths = nginxTemporaryPaths(fleet.directory, name)
  const conf = join(fleet.directory, `${name}.conf`)
  writeFileSync(conf, `daemon off;\n${text.replace('http {', `http {\n  ${paths}`)}`)
  return fleet.start(name, [...prefix, 'nginx', '-c', conf])
}
