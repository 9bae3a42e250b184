/** Columns of blocks summed back into images: the reverse of cutting an image into sliding blocks. */
import { EspalierError } from '../../errors.ts'
import { floorDivideDims, productOfDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { dtypeInfo, isInteger } from '../../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { allTypes13, optional } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { listOf } from '../support/integers.ts'
import { contentOrUnknown } from '../support/known-lengths.ts'
import { outputSize } from '../support/movement.ts'
import { readWindow, type WindowAxis, type WindowRuns, windowAxes, windowRuns } from '../support/window.ts'

export const Col2Im: Op = {
  name: 'Col2Im',
  doc: 'Images of which the columns are the (overlapping) blocks; what overlaps is summed.',
  versions: {
    18: {
      inputs: ['input: T', 'image_shape: int64', 'block_shape: int64'],
      outputs: ['output: T'],
      types: { T: allTypes13 },
      attributes: { dilations: optional('ints'), pads: optional('ints'), strides: optional('ints') },
    },
  },
  limits: 'strings',
  infer(c) {
    const [input, image, block] = [c.shape(0), contentOrUnknown(c, 1), contentOrUnknown(c, 2)]
    if (image === undefined) return [typed(c.dtype(0), undefined)]
    const channels = input && block ? floorDivideDims(input[1] ?? null, productOfDims(block)) : null
    return [typed(c.dtype(0), [input?.[0] ?? null, channels, ...image])]
  },
  evaluate(c) {
    const input = c.tensor(0)
    const image = listOf(c.tensor(1), 'image_shape')
    const block = listOf(c.tensor(2), 'block_shape')
    if (image.length !== block.length)
      throw new EspalierError('bad-shape', 'image and block differ in rank', {
        expected: `a block of ${image.length} extents`,
        got: `${block.length}`,
      })
    const { kind } = dtypeInfo(input.dtype)
    if (kind === 'string') throw new EspalierError('unsupported', 'strings cannot be summed')
    const axes = windowAxes(readWindow(c.attributes, block), image)
    checkColumns(input.shape, axes)
    const [batch, columns] = input.shape as [number, number]
    const shape = [batch, columns / sizeOf(block), ...image]
    outputSize('float64', shape)
    const runs = windowRuns(axes)
    const parts = kind === 'complex' ? 2 : 1
    const sizes = { plane: sizeOf(image), places: input.shape[2]!, parts }
    if (isInteger(input.dtype)) {
      const sums = new Array<bigint>(sizeOf(shape)).fill(0n)
      sumBlocks(sums, bigints(input), runs, sizes, (a, b) => a + b)
      return [fromBigInts(input.dtype, shape, sums)]
    }
    const sums = new Float64Array(parts * sizeOf(shape))
    sumBlocks(sums, numbers(input), runs, sizes, (a, b) => a + b)
    return [fromNumbers(input.dtype, shape, sums)]
  },
}

/** Throws `bad-shape` unless the input holds whole blocks, one column for each place of the block. */
function checkColumns(shape: readonly Dim[], axes: readonly WindowAxis[]): void {
  const block = sizeOf(axes.map(axis => axis.kernel))
  const places = sizeOf(axes.map(axis => axis.output))
  const [, columns, count] = shape as readonly number[]
  if (shape.length === 3 && columns! % block === 0 && count === places) return
  throw new EspalierError('bad-shape', 'the columns are not the blocks of the image', {
    expected: `batch, a multiple of ${block}, ${places}`,
    got: formatShape(shape),
  })
}

/** Adds the columns to the planes of the image, where the taps of the block meet them. Complex numbers have two `parts`. */
function sumBlocks<N>(
  sums: { length: number; [index: number]: N },
  columns: ArrayLike<N>,
  { taps, first, length, step, input, output }: WindowRuns,
  { plane, places, parts }: { readonly plane: number; readonly places: number; readonly parts: number },
  add: (a: N, b: N) => N,
): void {
  const planes = sums.length / (plane * parts)
  for (let p = 0; p < planes; p++)
    for (let tap = 0; tap < taps; tap++)
      for (let run = first[tap]!; run < first[tap + 1]!; run++)
        for (let j = 0; j < length[tap]!; j++) {
          const to = (p * plane + input[run]! + j * step[tap]!) * parts
          const from = ((p * taps + tap) * places + output[run]! + j) * parts
          for (let part = 0; part < parts; part++)
            sums[to + part] = add(sums[to + part]!, columns[from + part]!)
        }
}
