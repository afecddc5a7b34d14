// A package for AlmaLinux and its relatives, of a staged tree.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from './program.mjs'
import { CONFIGURATION_FILES, readManifest } from './stage.mjs'

const ARCHITECTURES = { x64: 'x86_64', arm64: 'aarch64' }
/** Folders that are nobody else's. */
const OWNED = ['/usr/lib/tsha', '/usr/share/doc/tsha', '/usr/share/tsha']

/**
 * @param tree the staged tree, which is empty afterwards
 * @param work a folder for rpmbuild
 * @param out the folder for the package
 * @returns the path of the package
 */
export function buildRpm(tree, work, out) {
  const { version, description, license } = readManifest()
  const architecture = ARCHITECTURES[process.arch]
  if (!architecture) throw new Error(`no package for ${process.arch}`)
  mkdirSync(work, { recursive: true })
  const scripts = readFileSync(join(import.meta.dirname, 'rpm/scriptlets'), 'utf8')
  const files = filesBelow(tree).filter((name) => !OWNED.some((folder) => name.startsWith(folder)))
  const listed = files.map((name) =>
    CONFIGURATION_FILES.includes(name)
      ? `%config(noreplace) ${attributesOf(name)}"${name}"`
      : `"${name}"`
  )
  const spec = [
    'Name: tsha',
    `Version: ${version}`,
    'Release: 1',
    `Summary: ${description}`,
    `License: ${license}`,
    'Requires: iproute',
    'Recommends: nodejs >= 20.19, logrotate',
    // What the modules bring is for Node, and none of the system's business.
    'AutoReqProv: no',
    '%global debug_package %{nil}',
    '%global __os_install_post %{nil}',
    '%global _build_id_links none',
    '%define _binary_payload w6.gzdio',
    '%description',
    'Speaks VRRP, holds the virtual address and is the reverse proxy behind it. Runs from',
    'keepalived.conf and nginx.conf, or from one tsha.yaml for both directors.',
    '%install',
    `mv '${tree}'/* '%{buildroot}'`,
    scripts,
    '%files',
    '%defattr(-,root,root,-)',
    '%dir /etc/tsha',
    ...OWNED.filter((folder) => existsSync(join(tree, folder))),
    ...listed,
    ''
  ].join('\n')
  const file = join(work, 'tsha.spec')
  writeFileSync(file, spec)
  runProgram('rpmbuild', [
    '-bb',
    '--define',
    `_topdir ${work}`,
    '--define',
    '_dbpath ' + join(work, 'db'),
    '--target',
    architecture,
    file
  ])
  const [name] = readdirSync(join(work, 'RPMS', architecture))
  cpSync(join(work, 'RPMS', architecture, name), join(out, name))
  return join(out, name)
}

/** The password of the elections stands in it. */
function attributesOf(name) {
  return name === '/etc/tsha/tsha.yaml' ? '%attr(0640,root,tsha) ' : ''
}

function filesBelow(tree) {
  return readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(tree.length))
    .sort()
}
