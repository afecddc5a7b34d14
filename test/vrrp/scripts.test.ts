import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parseScripts, play } from './script-runner.js'

const folder = new URL('../../../test/vrrp/scripts/', import.meta.url)

for (const file of readdirSync(folder)) {
  const scripts = parseScripts(file, readFileSync(new URL(file, folder), 'utf8'))
  t.ok(scripts.length > 0, `${file} has scripts`)
  for (const script of scripts) {
    void t.test(script.title, (t) => {
      for (const { number, found, expected } of play(script)) {
        t.equal(found, expected, `${file}:${number}`)
      }
      t.end()
    })
  }
}
