import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Failure, failureMessage } from '../../src/core/failure.ts'

const MESSAGES: readonly [Failure, string][] = [
  [{ code: 'no_uplink', uplinks: [] }, 'no uplink is usable: this machine has no default route'],
  [{ code: 'no_uplink', uplinks: ['lte'] }, 'no uplink is usable: lte has no working link with an address'],
  [
    { code: 'no_uplink', uplinks: ['fibre', 'lte'] },
    'no uplink is usable: fibre, lte have no working link with an address',
  ],
  [
    { code: 'no_uplink', uplinks: ['fibre'], lacking: [{ uplink: 'fibre', address: '10.9.9.9' }] },
    'no uplink is usable: fibre does not have the address 10.9.9.9 (option source)',
  ],
  [
    { code: 'no_uplink', uplinks: ['lte', 'fibre'], lacking: [{ uplink: 'fibre', address: '10.9.9.9' }] },
    'no uplink is usable: lte has no working link with an address; fibre does not have the address 10.9.9.9 (option source)',
  ],
  [
    { code: 'no_uplink', uplinks: [], lacking: [{ uplink: 'fibre', address: '10.9.9.9' }] },
    'no uplink is usable: fibre does not have the address 10.9.9.9 (option source)',
  ],
  [
    { code: 'no_uplink', uplinks: [], defaults: [{ device: 'eth0', why: 'down' }] },
    'no uplink is usable: the default route leads over eth0, which has no link',
  ],
  [
    { code: 'no_uplink', uplinks: [], defaults: [{ device: 'eth0', why: 'table', table: 100 }] },
    'no uplink is usable: the default route over eth0 is in table 100 and not in main: name eth0 in an uplink section',
  ],
  [
    { code: 'no_uplink', uplinks: ['lte', 'fibre'], spent: ['lte'] },
    'no uplink is usable: fibre has no working link with an address; the budget of lte is spent for this month',
  ],
  [
    { code: 'name_not_found', name: 'lns.example' },
    'the server name lns.example does not exist: check option server',
  ],
  [
    { code: 'resolver_silent', name: 'lns.example', resolvers: ['192.0.2.53'] },
    'the server name lns.example cannot be looked up: no answer from 192.0.2.53',
  ],
  [
    { code: 'no_answer', server: '192.0.2.1' },
    'the LNS 192.0.2.1 does not answer: its address may be wrong, it may be down or take no more tunnels at the moment, or something on the way drops UDP port 1701',
  ],
  [
    { code: 'no_answer', server: '192.0.2.1', secret: true },
    'the LNS 192.0.2.1 does not answer: its address may be wrong, it may be down or take no more tunnels at the moment, or it may have no tunnel secret for us (option tunnel_secret is set here), or something on the way drops UDP port 1701',
  ],
  [
    { code: 'blocked_here', server: '192.0.2.1' },
    'a firewall rule of this machine forbids packets to the LNS 192.0.2.1: look at the output and postrouting chains of `nft list ruleset`',
  ],
  [
    { code: 'secret_needed' },
    'the LNS asks for a tunnel secret and none is configured: set option tunnel_secret',
  ],
  [
    { code: 'auth_method', asked: ['EAP', 'PAP'], allowed: ['chap', 'mschapv2'], allowable: true },
    'the LNS wants a login by EAP, PAP and only chap, mschapv2 is allowed: see option auth',
  ],
  [
    { code: 'auth_method', asked: ['MS-CHAPv1'], allowed: ['chap', 'mschapv2'], allowable: false },
    'the LNS wants a login by MS-CHAPv1 and only chap, mschapv2 is allowed: lifeline can do no such login, so set the LNS to one that is allowed',
  ],
  [{ code: 'auth_failed', method: 'chap' }, 'the LNS refused user name or password (chap)'],
  [
    { code: 'auth_failed', method: 'chap', peerMessage: ' Bad password ' },
    'the LNS refused user name or password (chap): "Bad password"',
  ],
  [
    { code: 'auth_failed', method: 'chap', peerMessage: 'user "alice" is unknown' },
    `the LNS refused user name or password (chap): "user 'alice' is unknown"`,
  ],
  [
    { code: 'auth_failed', method: 'mschapv2', reason: 'the account is disabled', peerMessage: '"call us"' },
    'the LNS refused the login (mschapv2): the account is disabled, "call us"',
  ],
  [
    { code: 'auth_closed', reason: 'no "such" line' },
    `the LNS closed the session right after the password was sent: user name or password is probably wrong; it said: "no 'such' line"`,
  ],
  [
    { code: 'declined', what: ['mppe'], peerMessage: 'MPPE required but peer negotiation failed' },
    'the LNS ended the connection when it was denied encryption by MPPE, which it seems to require and lifeline does not do: "MPPE required but peer negotiation failed"',
  ],
  [
    { code: 'declined', what: ['ipv6'] },
    'the LNS ended the connection when it was denied IPv6, which it seems to require and which is off here (see option ipv6)',
  ],
  [
    { code: 'try_another', server: '192.0.2.1', peerMessage: 'draining' },
    'the LNS 192.0.2.1 asks us to use another server: "draining"',
  ],
  [
    { code: 'auth_closed' },
    'the LNS closed the session right after the password was sent: user name or password is probably wrong',
  ],
  [
    { code: 'auth_silent' },
    'the LNS did not say whether it accepts the password: its login service (RADIUS) may be down',
  ],
  [
    { code: 'silent', seconds: 10 },
    'nothing arrived from the LNS for 10 s: the line to it is broken, or it was restarted',
  ],
  [{ code: 'terminated', peerMessage: '' }, 'the LNS ended the connection'],
]

test('what went wrong is said in words that a user understands', () => {
  for (const [failure, message] of MESSAGES) assert.equal(failureMessage(failure), message)
})

test('what a peer says is quoted, but not at length', () => {
  const message = failureMessage({ code: 'terminated', peerMessage: 'x'.repeat(1000) })
  assert.equal(message, `the LNS ended the connection: "${'x'.repeat(120)}"`)
})
