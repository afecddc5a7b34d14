import t from 'tap'
import { HostTable, RouteTable, normalisePath } from '../../src/proxy/route.js'

t.test('nginx server_name: exact, longest *.name, longest name.*, default', (t) => {
  const table = new HostTable('default', [
    { names: ['example.org', '_'], value: 'exact' },
    { names: ['*.example.org', 'www.example.*'], value: 'wild' },
    { names: ['*.a.example.org', 'www.example.co.*', 'example.org'], value: 'longer' }
  ])
  const hosts: [host: string, value: string][] = [
    ['example.org', 'exact'],
    ['x.example.org', 'wild'],
    ['y.x.example.org', 'wild'],
    ['x.a.example.org', 'longer'],
    ['www.example.net', 'wild'],
    ['www.example.co.uk', 'longer'],
    ['badexample.org', 'default'],
    ['', 'default']
  ]
  for (const [host, value] of hosts) t.equal(table.find(host), value, host)
  t.end()
})

t.test('nginx location: exact first, then the longest prefix', (t) => {
  const table = new RouteTable([
    { path: '/', exact: false, value: 'root' },
    { path: '/app', exact: false, value: 'app' },
    { path: '/app/admin', exact: false, value: 'admin' },
    { path: '/app', exact: true, value: 'exact' }
  ])
  const paths: [path: string, value: string][] = [
    ['/', 'root'],
    ['/app', 'exact'],
    ['/app/', 'app'],
    ['/application', 'app'],
    ['/app/admin/x', 'admin']
  ]
  for (const [path, value] of paths) t.equal(table.find(path), value, path)
  t.equal(new RouteTable<string>([]).find('/'), null)
  t.end()
})

t.test('nginx: the path that is matched is decoded and normalised', (t) => {
  const table: [target: string, path: string | null][] = [
    ['/', '/'],
    ['/a?b=/../c', '/a'],
    ['/a//b', '/a/b'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/a/.', '/a/'],
    ['/%61%2fb', '/a/b'],
    ['/x/%2e%2e/admin', '/admin'],
    ['/a%2', null],
    ['/a%zz', null],
    ['/a%00', null],
    ['/..', null],
    ['/a/../../b', null],
    ['/.hidden', '/.hidden'],
    ['*', '/']
  ]
  for (const [target, path] of table) t.equal(normalisePath(target), path, target)
  t.end()
})
