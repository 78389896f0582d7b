/**
 * Histories of the same house in which the tunnel is real too: its supervisor, dialer, L2TP and PPP, and an LNS at the other
 * end. They take ten times as long, so there are fewer of them. To read the history of a seed:
 * LIFELINE_SEED=123 node --import tsx --test test/core/failover/world-supervised.test.ts
 */
import { historiesHold } from '../../sim/failover-histories.ts'

historiesHold({ histories: 400, chapter: 200, supervised: true })
