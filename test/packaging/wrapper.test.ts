import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const text = readFileSync('packaging/files/tsha', 'utf8').replace(
  /\/usr\/lib\/tsha\/dist/g,
  join(process.cwd(), 'dist')
)

function version(node: string): { readonly stdout: string; readonly stderr: string } {
  const env = { ...process.env, TSHA_NODE: node }
  return spawnSync('sh', ['-c', text, 'tsha', '--version'], { env, encoding: 'utf8' })
}

t.test('a Node is named with blanks in its path', (t) => {
  const directory = join(t.testdir(), 'my node')
  mkdirSync(directory)
  symlinkSync(process.execPath, join(directory, 'node'))
  t.match(version(join(directory, 'node')), { stdout: /^\d+\.\d+\.\d+\n$/, stderr: '' })
  t.end()
})

t.test('what is named and is no Node is told, and another one is taken', (t) => {
  for (const node of ['/bin/ls', '/nonexistent', '*']) {
    const { stdout, stderr } = version(node)
    t.match(stdout, /^\d+\.\d+\.\d+\n$/)
    t.ok(stderr.startsWith(`tsha: TSHA_NODE=${node} is no Node 20.19 or newer`), stderr)
  }
  t.end()
})
