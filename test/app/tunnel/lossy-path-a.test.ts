import { test } from 'node:test'
import { liveOverLossyPath } from './lossy-path.ts'

test('30 % loss both ways: up within 120 s and for 10 minutes, seeds 1 to 500', () =>
  liveOverLossyPath(1, 500))
