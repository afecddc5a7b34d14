import t from 'tap'
import { parseFileValue } from '../../src/health/file-value.js'

t.test('keepalived 2.2.7: numbers are read as strtol reads them', (t) => {
  const clean = (text: string): number | string | null => {
    const { value, isClean } = parseFileValue(text)
    return isClean ? value : `not clean, ${String(value)}`
  }
  t.equal(clean('5\n'), 5)
  t.equal(clean('  -130 \n'), -130)
  t.equal(clean('+7'), 7)
  t.equal(clean('0'), 0)
  t.equal(clean('0x10\n'), 16)
  t.equal(clean('-0X1f'), -31)
  t.equal(clean('010'), 8)
  t.equal(clean(''), 0)
  t.equal(clean(' \n'), 0)
  t.equal(clean('2147483647'), 2_147_483_647)
  t.equal(clean('abc'), 'not clean, 0')
  t.equal(clean('7xyz'), 'not clean, 7')
  t.equal(clean('089'), 'not clean, 0', 'octal ends at the 8')
  t.equal(clean('1 2'), 'not clean, 1')
  t.equal(clean('2147483648'), 'not clean, null')
  t.equal(clean('99999999999999999999999'), 'not clean, null')
  t.end()
})
