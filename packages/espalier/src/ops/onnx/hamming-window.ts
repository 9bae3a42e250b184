/** Hamming window. ONNX takes the exact coefficients, 25/46 and 21/46, not the usual 0.54 and 0.46. */
import type { Op } from '../op.ts'
import { cosineWindow } from '../support/cosine-window.ts'

export const HammingWindow: Op = cosineWindow(
  { name: 'HammingWindow', doc: 'Hamming window, periodic or symmetric.' },
  [25 / 46, 21 / 46, 0],
)
