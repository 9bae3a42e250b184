/** Pools with channels last as steps: pool_f32, max_pool_i8, global_pool_f32. */
import { sizeOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import { channelsFirstShape } from './channels-last.ts'
import { lastAxes, windowValues } from './lower-window.ts'
import { readWindow, windowAxes } from './window.ts'

const modes = { max: 0, average: 1 } as const

/** Lowers a pool over windows. */
export function lowerPool(c: LowerContext, mode: keyof typeof modes): string | undefined {
  const { dtype, shape } = c.type(0)
  const bytes = mode === 'max' && (dtype === 'int8' || dtype === 'uint8')
  if (dtype !== 'float32' && !bytes) return `there is no kernel for ${dtype}`
  if (shape.length > 5) return 'the kernel takes at most three spatial axes'
  const settings = readWindow(c.attributes, c.attributes.ints('kernel_shape'))
  const axes = windowAxes(settings, channelsFirstShape(shape).slice(2))
  const shared = {
    x: c.input(0),
    y: c.output(0),
    ...windowValues(shape[0]!, axes),
    channels: shape.at(-1)!,
  }
  if (bytes) {
    c.emit('max_pool_i8', { ...shared, isSigned: dtype === 'int8' ? 1 : 0 })
    return undefined
  }
  c.emit('pool_f32', {
    ...shared,
    padsEnd: lastAxes(
      axes.map(axis => axis.after),
      0,
    ),
    mode: modes[mode],
    countPadding: mode === 'average' ? c.attributes.int('count_include_pad') : 0,
  })
  return undefined
}

/** Pixels that one thread sums up at a time: long enough to be worth a meeting of threads, short enough to share out. */
const pieceOfPixels = 1024

/** Lowers a pool over all pixels. */
export function lowerGlobalPool(c: LowerContext, mode: keyof typeof modes): string | undefined {
  const { dtype, shape } = c.type(0)
  if (dtype !== 'float32') return `there is no kernel for ${dtype}`
  const [batch, channels] = [shape[0]!, shape.at(-1)!]
  const pixels = sizeOf(shape.slice(1, -1))
  const pieces = Math.max(1, Math.floor(pixels / pieceOfPixels))
  c.emit('global_pool_f32', {
    x: c.input(0),
    y: c.output(0),
    scratch: pieces > 1 ? c.scratch(4 * batch * pieces * channels) : undefined,
    batch,
    pixels,
    channels,
    mode: modes[mode],
    pieces,
  })
  return undefined
}
