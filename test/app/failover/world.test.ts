/**
 * 4,000 histories of a house with several ways out: the real daemon, on lines, an LNS and a kernel that are simulated.
 * What must hold does at every step of each of them. To read the history of a seed:
 * LIFELINE_SEED=123 node --import tsx --test test/app/failover/world.test.ts
 */
import { historiesHold } from '../../sim/failover-histories.ts'

historiesHold(4_000, 1_000)
