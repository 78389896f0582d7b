import { seconds } from '../time.ts'
import type { PppLimits } from './types.ts'

/**
 * Tuned for a fast dial over a lossy path: 20 requests at 0, 1, 2.5, 4.75, 7.75 s and then each 3 s last 53 s, and with
 * 30 % loss each way all of them fail once in a million.
 */
export const defaultPppLimits: PppLimits = {
  restartTimer: seconds(1),
  restartTimerMax: seconds(3),
  maxConfigure: 20,
  maxTerminate: 2,
  maxFailure: 5,
  authTimeout: seconds(45),
  networkTimeout: seconds(45),
  retryFirst: seconds(3),
  retryMax: seconds(300),
}
