/** The layouts that there are, one a file: a new one takes a line here. */
import type { SparseLayout } from '../layout.ts'
import { bitmaskF32, bitmaskI8 } from './bitmask.ts'
import { blocks } from './blocks.ts'
import { oneOfFour, twoOfFour } from './of-four.ts'
import { quads } from './quads.ts'
import { rows } from './rows.ts'

export const sparseLayouts: readonly SparseLayout[] = [
  rows,
  blocks,
  quads,
  bitmaskF32,
  bitmaskI8,
  oneOfFour,
  twoOfFour,
]
