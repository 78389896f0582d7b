import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type SessionInput,
  type SessionStateName,
  sessionTransition,
} from '../../../src/core/l2tp/session-machine.ts'
import {
  type TunnelInput,
  type TunnelStateName,
  tunnelTransition,
} from '../../../src/core/l2tp/tunnel-machine.ts'
import type { L2tpRole } from '../../../src/core/l2tp/types.ts'

/*
 * The tables of RFC 2661, one line for each cell: "event: action -> new state". Lines without a mark stand in the RFC;
 * `+` marks what it leaves out (deadlines, section 5.8; malformed messages, section 7.1; events that it takes for
 * impossible), `!` where lifeline does otherwise, with the reason.
 */

/** Section 7.2.1. The idle that follows a clean-up is `stopped` here. */
const CONTROL_CONNECTION: Readonly<Record<TunnelStateName, string>> = {
  idle: `
    open:         sendSccrq -> waitCtlReply
    sccrq:        sendSccrp -> waitCtlConn
    sccrqBad:     stop -> stopped
    sccrp:        stop -> stopped
    sccrpBad:     stop -> stopped
    scccn:        cleanUp -> stopped
    scccnBad:     cleanUp -> stopped
    stopCcn:      cleanUp -> stopped
    + close:      cleanUp -> stopped
    + sccrqTieLost: none -> idle
    + invalid:    stop -> stopped
    + expired:    none -> idle
    + dead:       none -> idle`,
  waitCtlReply: `
    sccrp:        sendScccnAndOpen -> established
    sccrpBad:     stop -> stopped
    sccrqTieLost: requeue -> idle
    scccn:        stop -> stopped
    scccnBad:     stop -> stopped
    stopCcn:      cleanUp -> stopped
    + sccrq:      none -> waitCtlReply
    + sccrqBad:   none -> waitCtlReply
    + open:       none -> waitCtlReply
    ! close:      abandon -> abandoned  (the RFC: StopCCN; the peer has no id yet under which it would know what ends)
    + invalid:    stop -> stopped
    + expired:    abandon -> abandoned
    + dead:       abandon -> abandoned`,
  waitCtlConn: `
    scccn:        tellOpen -> established
    scccnBad:     stop -> stopped
    sccrp:        stop -> stopped
    sccrpBad:     stop -> stopped
    sccrq:        stop -> stopped
    sccrqBad:     stop -> stopped
    stopCcn:      cleanUp -> stopped
    + sccrqTieLost: stop -> stopped
    + open:       none -> waitCtlConn
    + close:      stop -> stopped
    + invalid:    stop -> stopped
    + expired:    stop -> stopped
    + dead:       cleanUp -> stopped`,
  established: `
    open:         none -> established
    close:        stop -> stopped
    sccrq:        stop -> stopped
    sccrqBad:     stop -> stopped
    sccrp:        stop -> stopped
    sccrpBad:     stop -> stopped
    scccn:        stop -> stopped
    scccnBad:     stop -> stopped
    stopCcn:      cleanUp -> stopped
    + sccrqTieLost: stop -> stopped
    + invalid:    stop -> stopped
    + expired:    none -> established
    + dead:       cleanUp -> stopped`,
  abandoned: `
    + open:       none -> abandoned
    + close:      none -> abandoned
    + sccrq:      none -> abandoned
    + sccrqBad:   none -> abandoned
    + sccrqTieLost: none -> abandoned
    + sccrp:      refuse -> stopped
    + sccrpBad:   refuse -> stopped
    + scccn:      none -> abandoned
    + scccnBad:   none -> abandoned
    + stopCcn:    none -> abandoned
    + invalid:    none -> abandoned
    + expired:    forget -> stopped
    + dead:       none -> abandoned`,
  stopped: `
    stopCcn:      none -> stopped
    + open:       none -> stopped
    + close:      none -> stopped
    + sccrq:      none -> stopped
    + sccrqBad:   none -> stopped
    + sccrqTieLost: none -> stopped
    + sccrp:      none -> stopped
    + sccrpBad:   none -> stopped
    + scccn:      none -> stopped
    + scccnBad:   none -> stopped
    + invalid:    none -> stopped
    + expired:    forget -> stopped
    + dead:       none -> stopped`,
}

/** A state that the side never has. */
const NEVER = `
    + call: none -> idle
    + tunnelOpen: none -> idle
    + icrq: none -> idle
    + icrqBad: none -> idle
    + icrp: none -> idle
    + icrpBad: none -> idle
    + iccn: none -> idle
    + iccnBad: none -> idle
    + cdn: none -> idle
    + invalid: none -> idle
    + clear: none -> idle
    + tunnelClosed: none -> idle
    + expired: none -> idle`

/** Sections 7.4.1 and 7.4.2. */
const INCOMING_CALLS: Readonly<Record<L2tpRole, Readonly<Record<SessionStateName, string>>>> = {
  lac: {
    idle: `
      call:         openTunnel -> waitTunnel
      iccn:         cleanUp -> idle
      iccnBad:      cleanUp -> idle
      cdn:          cleanUp -> idle
      ! icrp:       disconnect -> idle   (the RFC: clean up; a CDN with the right session id is what some LNSes need)
      ! icrpBad:    disconnect -> idle
      + icrq:       disconnect -> idle
      + icrqBad:    disconnect -> idle
      + tunnelOpen: none -> idle
      + invalid:    cleanUp -> idle
      + clear:      none -> idle
      + tunnelClosed: none -> idle
      + expired:    none -> idle`,
    waitTunnel: `
      clear:        cleanUp -> idle
      tunnelOpen:   sendIcrq -> waitReply
      + call:       none -> waitTunnel
      + icrq:       cleanUp -> idle
      + icrqBad:    cleanUp -> idle
      + icrp:       cleanUp -> idle
      + icrpBad:    cleanUp -> idle
      + iccn:       cleanUp -> idle
      + iccnBad:    cleanUp -> idle
      + cdn:        cleanUp -> idle
      + invalid:    cleanUp -> idle
      + tunnelClosed: cleanUp -> idle
      + expired:    none -> waitTunnel`,
    waitReply: `
      icrp:         sendIccn -> established
      icrpBad:      disconnect -> idle
      icrq:         disconnect -> idle
      icrqBad:      disconnect -> idle
      cdn:          cleanUp -> idle
      iccn:         cleanUp -> idle
      iccnBad:      cleanUp -> idle
      clear:        disconnect -> idle
      + call:       none -> waitReply
      + tunnelOpen: none -> waitReply
      + invalid:    disconnect -> idle
      + tunnelClosed: cleanUp -> idle
      + expired:    disconnect -> idle`,
    waitConnect: NEVER,
    established: `
      cdn:          cleanUp -> idle
      icrq:         disconnect -> idle
      icrqBad:      disconnect -> idle
      icrp:         disconnect -> idle
      icrpBad:      disconnect -> idle
      iccn:         disconnect -> idle
      iccnBad:      disconnect -> idle
      clear:        disconnect -> idle
      + call:       none -> established
      + tunnelOpen: none -> established
      + invalid:    disconnect -> idle
      + tunnelClosed: cleanUp -> idle
      + expired:    none -> established`,
  },
  lns: {
    idle: `
      icrq:         sendIcrp -> waitConnect
      icrqBad:      disconnect -> idle
      icrp:         disconnect -> idle
      icrpBad:      disconnect -> idle
      iccn:         cleanUp -> idle
      iccnBad:      cleanUp -> idle
      cdn:          cleanUp -> idle
      + call:       none -> idle
      + tunnelOpen: none -> idle
      + invalid:    cleanUp -> idle
      + clear:      none -> idle
      + tunnelClosed: none -> idle
      + expired:    none -> idle`,
    waitTunnel: NEVER,
    waitReply: NEVER,
    waitConnect: `
      iccn:         connect -> established
      iccnBad:      disconnect -> idle
      icrq:         disconnect -> idle
      icrqBad:      disconnect -> idle
      icrp:         disconnect -> idle
      icrpBad:      disconnect -> idle
      cdn:          cleanUp -> idle
      clear:        disconnect -> idle
      + call:       none -> waitConnect
      + tunnelOpen: none -> waitConnect
      + invalid:    disconnect -> idle
      + tunnelClosed: cleanUp -> idle
      + expired:    disconnect -> idle`,
    established: `
      cdn:          cleanUp -> idle
      clear:        disconnect -> idle
      icrq:         disconnect -> idle
      icrqBad:      disconnect -> idle
      icrp:         disconnect -> idle
      icrpBad:      disconnect -> idle
      iccn:         disconnect -> idle
      iccnBad:      disconnect -> idle
      + call:       none -> established
      + tunnelOpen: none -> established
      + invalid:    disconnect -> idle
      + tunnelClosed: cleanUp -> idle
      + expired:    none -> established`,
  },
}

const TUNNEL_EVENTS = 13
const SESSION_EVENTS = 13

for (const [state, text] of Object.entries(CONTROL_CONNECTION)) {
  test(`control connection: ${state}`, () => {
    const cells = parse(text)
    assert.equal(new Set(cells.map(({ event }) => event)).size, TUNNEL_EVENTS)
    for (const { event, action, next } of cells) {
      const found = tunnelTransition(state as TunnelStateName, event as TunnelInput)
      assert.deepEqual(found, { action, next }, `${state}, ${event}`)
    }
  })
}

for (const role of ['lac', 'lns'] as const) {
  for (const [state, text] of Object.entries(INCOMING_CALLS[role])) {
    test(`incoming calls of the ${role}: ${state}`, () => {
      const cells = parse(text)
      assert.equal(new Set(cells.map(({ event }) => event)).size, SESSION_EVENTS)
      for (const { event, action, next } of cells) {
        const found = sessionTransition(role, state as SessionStateName, event as SessionInput)
        assert.deepEqual(found, { action, next }, `${role}, ${state}, ${event}`)
      }
    })
  }
}

function parse(text: string) {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line) => {
    const [, event, action, next] = /^\s*[+!]? ?(\w+):\s+(\w+) -> (\w+)/.exec(line) ?? []
    assert.ok(event && action && next, `unreadable: ${line}`)
    return { event, action, next }
  })
}
