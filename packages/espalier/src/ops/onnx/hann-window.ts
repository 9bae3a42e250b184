/** Hann window. */
import type { Op } from '../op.ts'
import { cosineWindow } from '../support/cosine-window.ts'

export const HannWindow: Op = cosineWindow(
  { name: 'HannWindow', doc: 'Hann window, periodic or symmetric.' },
  [0.5, 0.5, 0],
)
