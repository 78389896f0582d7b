/** Logins that succeed in another way, and those that fail: the status says why in words. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  assertCarriesTraffic,
  dial,
  failToDial,
  LINE,
  lineOf,
  run,
  subscriber,
  TUNNEL_SECRET,
  waitForAll,
} from './scenario.ts'
import { buildNetwork, type Network } from './topology.ts'

const alice = subscriber('alice', 1)
const bob = subscriber('bob', 2)
const mallory = subscriber('mallory', 3)

describe('an LNS that asks for CHAP, and takes PAP', { timeout: 400_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice, bob], tunnelSecret: TUNNEL_SECRET, auth: ['chap', 'pap'] })
  })
  after(() => net.close())

  test('lets us in by PAP where only that is allowed', async (t) => {
    const { tunnel } = await dial(t, net, alice, { auth: 'pap' })
    assert.equal(tunnel.auth, 'pap')
    await assertCarriesTraffic(net, tunnel)
  })

  test('lets us in by CHAP where both are allowed', async (t) => {
    const { tunnel } = await dial(t, net, alice, { auth: ['chap', 'pap'] })
    assert.equal(tunnel.auth, 'chap')
  })

  test('refuses a wrong password', async (t) => {
    const { code, message } = await failToDial(t, net, { ...alice, password: 'not-it' })
    assert.equal(code, 'auth_closed')
    assert.match(message, WRONG_PASSWORD)
  })

  test('refuses a wrong password by PAP', async (t) => {
    const { message } = await failToDial(t, net, { ...alice, password: 'not-it' }, { auth: 'pap' })
    assert.match(message, WRONG_PASSWORD)
  })

  test('refuses a user whom nobody knows', async (t) => {
    const { code, message } = await failToDial(t, net, mallory)
    assert.equal(code, 'auth_closed')
    assert.match(message, WRONG_PASSWORD)
  })

  test('does not know our tunnel secret', async (t) => {
    const { code, message } = await failToDial(t, net, alice, { tunnel_secret: 'another-secret' })
    assert.equal(code, 'secret_wrong')
    assert.equal(
      message,
      'the LNS uses another tunnel secret: option tunnel_secret is wrong on one of the two sides',
    )
    assert.equal(await net.lns.session(alice.name), undefined)
  })

  test('is dialled again and again, and has us at once when the password is right', async (t) => {
    const lifeline = run(t, net, lineOf({ ...bob, password: 'not-it' }))
    await lifeline.waitForTunnel(LINE, 'to have tried twice', ({ attempts }) => attempts >= 2)
    lifeline.reload(lineOf(bob))
    const tunnel = await waitForAll(lifeline)
    assert.equal(tunnel.attempts, 0)
    await assertCarriesTraffic(net, tunnel)
  })

  test('cannot reach RADIUS, and has us when that is back', async (t) => {
    await net.radius.stop()
    const { lifeline, code, message } = await failToDial(t, net, alice)
    // RFC 2661 has no result code for it: what this LNS sends is what it sends for a wrong password, 7 s later.
    assert.equal(code, 'auth_silent')
    assert.match(message, /RADIUS\) may be down/)
    await net.radius.start()
    await assertCarriesTraffic(net, await waitForAll(lifeline, 120_000))
  })
})

describe('an LNS that insists on PAP', { timeout: 200_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice], auth: ['pap'] })
  })
  after(() => net.close())

  test('does not get the password where PAP is not allowed', async (t) => {
    const { code, message } = await failToDial(t, net, alice, { tunnel_secret: '' })
    assert.equal(code, 'auth_method')
    assert.equal(message, 'the LNS wants a login by PAP and only chap, mschapv2 is allowed: see option auth')
  })

  test('lets us in where it is', async (t) => {
    const { tunnel } = await dial(t, net, alice, { tunnel_secret: '', auth: ['chap', 'pap'] })
    assert.equal(tunnel.auth, 'pap')
  })
})

const WRONG_PASSWORD =
  /^the LNS closed the session right after the password was sent: user name or password is probably wrong/
