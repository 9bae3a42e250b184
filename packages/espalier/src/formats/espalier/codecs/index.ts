/** The pattern codecs. Where two take the same bytes, the first of them is used. `raw` (everything is stored) has none. */
import { bitmask } from './bitmask.ts'
import { block } from './block.ts'
import type { PatternCodec } from './codec.ts'
import { nOfM } from './n-of-m.ts'
import { rice } from './rice.ts'

export type { Extents, PatternCodec, Plan } from './codec.ts'

export const codecs: readonly PatternCodec[] = [nOfM, block, bitmask, rice]
