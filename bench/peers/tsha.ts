import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { REPOSITORY } from '../machine.js'
import { exampleConf } from './example-conf.js'
import type { Peer } from './peer.js'

/** tsha as it is installed: director, one worker, access log. */
export const tsha: Peer = {
  title: 'tsha',
  needs: null,
  lastWord: 'admin process listens',
  start(setup) {
    const conf = join(setup.fleet.directory, `${setup.name}.conf`)
    writeFileSync(conf, exampleConf(setup))
    const command = [setup.node, join(REPOSITORY, 'dist/bin/tsha.js'), '--nginx-conf', conf]
    const admin = ['--admin-socket', join(setup.fleet.directory, `${setup.name}.sock`)]
    return setup.fleet.start(setup.name, [...setup.prefix, ...command, ...admin])
  }
}
