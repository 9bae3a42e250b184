/** Blackman window. */
import type { Op } from '../op.ts'
import { cosineWindow } from '../support/cosine-window.ts'

export const BlackmanWindow: Op = cosineWindow(
  { name: 'BlackmanWindow', doc: 'Blackman window, periodic or symmetric.' },
  [0.42, 0.5, 0.08],
)
