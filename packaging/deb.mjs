// A package for Debian and Ubuntu, of a staged tree.
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from './program.mjs'
import { CONFIGURATION_FILES, readManifest } from './stage.mjs'

const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' }

/**
 * @param tree the staged tree; gets a folder DEBIAN
 * @param out the folder for the package
 * @returns the path of the package
 */
export function buildDeb(tree, out) {
  const { version, description } = readManifest()
  const architecture = ARCHITECTURES[process.arch]
  if (!architecture) throw new Error(`no package for ${process.arch}`)
  const files = filesBelow(tree)
  const kilobytes = files.reduce(
    (sum, name) => sum + Math.ceil(lstatSync(join(tree, name)).size / 1024),
    0
  )
  const control = join(tree, 'DEBIAN')
  mkdirSync(control)
  const write = (name, text, mode = 0o644) => writeFileSync(join(control, name), text, { mode })
  write(
    'control',
    [
      'Package: tsha',
      `Version: ${version}`,
      `Architecture: ${architecture}`,
      'Maintainer: tsha maintainers <maintainers@tsha.invalid>',
      `Installed-Size: ${kilobytes}`,
      'Depends: iproute2',
      'Recommends: nodejs (>= 20.19), logrotate',
      'Section: net',
      'Priority: optional',
      `Description: ${description}`,
      ' Speaks VRRP, holds the virtual address and is the reverse proxy behind it. Runs from',
      ' keepalived.conf and nginx.conf, or from one tsha.yaml for both directors.',
      ''
    ].join('\n')
  )
  write('conffiles', `${CONFIGURATION_FILES.join('\n')}\n`)
  const sum = (name) =>
    createHash('md5')
      .update(readFileSync(join(tree, name)))
      .digest('hex')
  write('md5sums', files.map((name) => `${sum(name)}  ${name}\n`).join(''))
  for (const script of ['postinst', 'prerm', 'postrm']) {
    write(script, readFileSync(join(import.meta.dirname, 'debian', script)), 0o755)
  }
  const target = join(out, `tsha_${version}_${architecture}.deb`)
  runProgram('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z6', '--build', tree, target])
  return target
}

function filesBelow(tree) {
  return readdirSync(tree, { recursive: true })
    .map(String)
    .filter((name) => lstatSync(join(tree, name)).isFile())
    .sort()
}
