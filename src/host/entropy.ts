import type { Entropy } from '../core/crypto.ts'
import { system } from './system/engine.ts'

/** The kernel's. */
export const entropy: Entropy = system.random
