import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { machine } from '../../src/host/machine.ts'

test('the mark of this machine is the same in another process', () => {
  assert.match(machine.mark, /^[0-9a-f]{6}$/)
  const program = "import('./src/host/machine.ts').then(({ machine }) => console.log(machine.mark))"
  const again = execFileSync(process.execPath, ['--import', 'tsx', '-e', program], { encoding: 'utf8' })
  assert.equal(again.trim(), machine.mark)
})

test('a device that has a hardware address lends it, one that has none or is not there does not', () => {
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    const [first] = addresses
    if (first === undefined || first.mac === '00:00:00:00:00:00') continue
    assert.equal(machine.identity(['nowhere', 'lo', name]).mac, first.mac)
  }
  assert.equal(machine.identity(['lo']).mac, machine.identity([]).mac)
})
