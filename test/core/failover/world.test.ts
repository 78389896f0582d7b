/**
 * 10,000 histories of a house with several ways out: the real Failover with all that it runs, on lines, an LNS and a kernel
 * that are simulated. What must hold does at every step of each of them. To read the history of a seed:
 * LIFELINE_SEED=123 node --import tsx --test test/core/failover/world.test.ts
 */
import { historiesHold } from '../../sim/failover-histories.ts'

historiesHold({ histories: 10_000, chapter: 2_500, supervised: false })
