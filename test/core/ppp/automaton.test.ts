import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AutomatonEvent, stateNames, transition } from '../../../src/core/ppp/automaton.ts'

/** RFC 1661 section 4.1, as it is printed there. */
const printed = [
  `      | State
      |    0         1         2         3         4         5
Events| Initial   Starting  Closed    Stopped   Closing   Stopping
------+-----------------------------------------------------------
 Up   |    2     irc,scr/6     -         -         -         -
 Down |    -         -         0       tls/1       0         1
 Open |  tls/1       1     irc,scr/6     3r        5r        5r
 Close|    0       tlf/0       2         2         4         4
      |
  TO+ |    -         -         -         -       str/4     str/5
  TO- |    -         -         -         -       tlf/2     tlf/3
      |
 RCR+ |    -         -       sta/2 irc,scr,sca/8   4         5
 RCR- |    -         -       sta/2 irc,scr,scn/6   4         5
 RCA  |    -         -       sta/2     sta/3       4         5
 RCN  |    -         -       sta/2     sta/3       4         5
      |
 RTR  |    -         -       sta/2     sta/3     sta/4     sta/5
 RTA  |    -         -         2         3       tlf/2     tlf/3
      |
 RUC  |    -         -       scj/2     scj/3     scj/4     scj/5
 RXJ+ |    -         -         2         3         4         5
 RXJ- |    -         -       tlf/2     tlf/3     tlf/2     tlf/3
      |
 RXR  |    -         -         2         3         4         5
`,
  `      | State
      |    6         7         8           9
Events| Req-Sent  Ack-Rcvd  Ack-Sent    Opened
------+-----------------------------------------
 Up   |    -         -         -           -
 Down |    1         1         1         tld/1
 Open |    6         7         8           9r
 Close|irc,str/4 irc,str/4 irc,str/4 tld,irc,str/4
      |
  TO+ |  scr/6     scr/6     scr/8         -
  TO- | tlf/3p    tlf/3p    tlf/3p         -
      |
 RCR+ |  sca/8   sca,tlu/9   sca/8   tld,scr,sca/8
 RCR- |  scn/6     scn/7     scn/6   tld,scr,scn/6
 RCA  |  irc/7     scr/6x  irc,tlu/9   tld,scr/6x
 RCN  |irc,scr/6   scr/6x  irc,scr/8   tld,scr/6x
      |
 RTR  |  sta/6     sta/6     sta/6   tld,zrc,sta/5
 RTA  |    6         6         8       tld,scr/6
      |
 RUC  |  scj/6     scj/7     scj/8     scj/9
 RXJ+ |    6         6         8         9
 RXJ- |  tlf/3     tlf/3     tlf/3   tld,irc,str/5
      |
 RXR  |    6         7         8       ser/9
`,
]

const events: Readonly<Record<string, AutomatonEvent>> = {
  Up: 'up',
  Down: 'down',
  Open: 'open',
  Close: 'close',
  'TO+': 'toPlus',
  'TO-': 'toMinus',
  'RCR+': 'rcrPlus',
  'RCR-': 'rcrMinus',
  RCA: 'rca',
  RCN: 'rcn',
  RTR: 'rtr',
  RTA: 'rta',
  RUC: 'ruc',
  'RXJ+': 'rxjPlus',
  'RXJ-': 'rxjMinus',
  RXR: 'rxr',
}

interface Cell {
  readonly event: AutomatonEvent
  readonly state: number
  /** As printed, without the letters of the optional behaviours. */
  readonly text: string
}

function cells(): Cell[] {
  return printed.flatMap((half, index) =>
    half.split('\n').flatMap((line) => {
      const [label = '', row = ''] = line.split('|')
      const event = events[label.trim()]
      if (event === undefined) return []
      const texts = row.trim().split(/\s+/)
      return texts.map((text, column) => ({
        event,
        state: index * 6 + column,
        text: text.replace(/(\d)[rpx]$/, '$1'),
      }))
    }),
  )
}

test('every cell of the state transition table is as RFC 1661 prints it', () => {
  const all = cells()
  assert.equal(all.length, 16 * 10)
  for (const { event, state, text } of all) {
    const name = stateNames[state]
    assert.ok(name)
    const found = transition(name, event)
    const actual = found
      ? [found.actions.join(','), stateNames.indexOf(found.next)].filter((part) => part !== '').join('/')
      : '-'
    assert.equal(actual, text, `${event} in ${name}`)
  }
})
