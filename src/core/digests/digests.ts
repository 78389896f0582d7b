import type { Digests } from '../crypto.ts'
import { des } from './des.ts'
import { md4 } from './md4.ts'
import { md5 } from './md5.ts'
import { sha1 } from './sha1.ts'

/** What the protocols need, computed alike on every CPU and by every engine. */
export const digests: Digests = { md4, md5, sha1, des }
