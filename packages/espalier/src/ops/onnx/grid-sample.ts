/** Values of an image at given positions. */
import { EspalierError } from '../../errors.ts'
import { differentDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { dtypeInfo } from '../../tensor/dtype.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { roundHalfEven } from '../../tensor/minifloat.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { allTypes, allTypes13, floats, floats16, int, type Schema, string, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { cubicKernel, type Kernel, linearKernel } from '../support/interpolation.ts'
import { gatherElements, outputSize } from '../support/movement.ts'
import { type Border, denormalize, placeWithin, tapsAt } from '../support/sampling.ts'

const version = (T1: readonly TypeName[], T2: readonly TypeName[], modes: readonly string[]): Schema => ({
  inputs: ['X: T1', 'grid: T2'],
  outputs: ['Y: T1'],
  types: { T1, T2 },
  attributes: {
    align_corners: int(0),
    mode: string(modes[0]!, modes),
    padding_mode: string('zeros', ['zeros', 'border', 'reflection']),
  },
})
const modes16 = ['bilinear', 'nearest', 'bicubic']
const modes20 = ['linear', 'nearest', 'cubic']

/** Kernels by mode; `nearest` has none. */
const kernels: Readonly<Record<string, Kernel>> = {
  bilinear: linearKernel,
  linear: linearKernel,
  bicubic: cubicKernel(-0.75),
  cubic: cubicKernel(-0.75),
}

export const GridSample: Op = {
  name: 'GridSample',
  doc: 'The values of the input at the positions in `grid`, from -1 to 1 along each axis, interpolated.',
  versions: {
    16: version(allTypes, floats16, modes16),
    20: version(allTypes, floats16, modes20),
    22: version(allTypes13, floats, modes20),
  },
  limits: 'strings in modes other than nearest',
  infer(c) {
    const [x, grid] = [c.shape(0), c.shape(1)]
    if (x !== undefined && grid !== undefined) return [typed(c.dtype(0), sampledShape(x, grid))]
    return [
      typed(
        c.dtype(0),
        x?.map((extent, axis) => (axis < 2 ? extent : null)),
      ),
    ]
  },
  evaluate(c) {
    const [x, grid] = [c.tensor(0), c.tensor(1)]
    const shape = sampledShape(x.shape, grid.shape) as readonly number[]
    if (outputSize(x.dtype, shape) > 0 && sizeOf(x.shape) === 0)
      throw new EspalierError('bad-shape', 'an image without pixels cannot be sampled', {
        got: formatShape(x.shape),
      })
    const border: Border = {
      padding: c.attributes.string('padding_mode') as Border['padding'],
      corners: c.attributes.int('align_corners') !== 0,
    }
    const mode = c.attributes.string('mode')
    if (mode === 'nearest') return [sampleNearest(x, grid, shape, border)]
    return [interpolate(x, grid, shape, border, kernels[mode]!)]
  },
}

function sampledShape(x: readonly Dim[], grid: readonly Dim[]): readonly Dim[] {
  const rank = x.length - 2
  const fits =
    rank >= 1 &&
    grid.length === x.length &&
    !differentDims(grid.at(-1)!, rank) &&
    !differentDims(grid[0]!, x[0]!)
  if (!fits)
    throw new EspalierError('bad-shape', 'the grid does not fit the input', {
      expected: `batch, positions, and ${Math.max(rank, 1)} coordinates for an input of shape ${formatShape(x)}`,
      got: formatShape(grid),
    })
  return [typeof x[0] === 'number' ? x[0] : (grid[0] ?? null), x[1]!, ...grid.slice(1, -1)]
}

/** Calls `visit` with each point and its position along each spatial axis, in pixels, outermost axis first. */
function forEachPoint(
  grid: Tensor,
  spatial: readonly number[],
  corners: boolean,
  visit: (point: number, position: readonly number[]) => void,
): void {
  const values = numbers(grid)
  const rank = spatial.length
  const round = grid.dtype === 'float64' ? (value: number): number => value : Math.fround
  const position = new Array<number>(rank)
  for (let point = 0; point < values.length / rank; point++) {
    for (let axis = 0; axis < rank; axis++) {
      const coordinate = values[point * rank + rank - 1 - axis]!
      position[axis] = denormalize(coordinate, spatial[axis]!, corners, round)
    }
    visit(point, position)
  }
}

function sampleNearest(x: Tensor, grid: Tensor, shape: readonly number[], border: Border): Tensor {
  const spatial = x.shape.slice(2)
  const [plane, points] = [sizeOf(spatial), sizeOf(shape.slice(2))]
  const channels = shape[1]!
  // Position within its plane for each point of each batch entry, -1 outside.
  const sources = new Float64Array(shape[0]! * points)
  forEachPoint(grid, spatial, border.corners, (point, position) => {
    let source = 0
    for (const [axis, extent] of spatial.entries()) {
      const index = placeWithin(roundHalfEven(position[axis]!), extent, border)
      source = source < 0 || index < 0 ? -1 : source * extent + index
    }
    sources[point] = source
  })
  return gatherElements(x, shape, i => {
    const channel = Math.floor(i / points)
    const source = sources[Math.floor(channel / channels) * points + (i % points)]!
    return source < 0 ? -1 : channel * plane + source
  })
}

function interpolate(
  x: Tensor,
  grid: Tensor,
  shape: readonly number[],
  border: Border,
  kernel: Kernel,
): Tensor {
  const { kind } = dtypeInfo(x.dtype)
  if (kind === 'string')
    throw new EspalierError('unsupported', 'strings cannot be interpolated', { expected: 'mode "nearest"' })
  const parts = kind === 'complex' ? 2 : 1
  const spatial = x.shape.slice(2)
  const [plane, points] = [sizeOf(spatial), sizeOf(shape.slice(2))]
  const channels = shape[1]!
  const values = numbers(x)
  outputSize('float64', [...shape, parts])
  const result = new Float64Array(sizeOf(shape) * parts)
  forEachPoint(grid, spatial, border.corners, (point, position) => {
    const { offsets, weights } = tapsAt(position, spatial, border, kernel)
    const batch = Math.floor(point / points)
    for (let channel = batch * channels; channel < (batch + 1) * channels; channel++)
      for (let part = 0; part < parts; part++) {
        let sum = 0
        for (let tap = 0; tap < offsets.length; tap++)
          sum += weights[tap]! * values[(channel * plane + offsets[tap]!) * parts + part]!
        result[(channel * points + (point % points)) * parts + part] = sum
      }
  })
  return fromNumbers(x.dtype, shape, result)
}
