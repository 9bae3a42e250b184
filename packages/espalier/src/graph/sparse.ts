/** Sparse constants in coordinate form: made dense, at once or when their elements are asked for, and made from dense ones. */
import { EspalierError, locate } from '../errors.ts'
import { byteLength, dtypeInfo } from '../tensor/dtype.ts'
import { fromNumbers, numbers } from '../tensor/elements.ts'
import { formatShape, sizeOf, stridesOf } from '../tensor/shape.ts'
import {
  allocate,
  elementCount,
  type Tensor,
  tensor,
  tensorBytes,
  tensorFromBytes,
} from '../tensor/tensor.ts'
import { type Graph, type Initializer, isSparse, type SparseTensor } from './graph.ts'

/**
 * The dense tensor of a constant. Throws `bad-shape` where values and positions of a sparse one do not fit each other,
 * `bad-argument` for a position outside the tensor, and `too-large`.
 */
export function denseOf(initializer: Initializer): Tensor {
  return isSparse(initializer) ? densify(initializer) : initializer
}

/** Positions of the stored values in the flattened tensor. Throws as {@link denseOf}. */
export function positionsOf({ indices, shape, values }: SparseTensor): Float64Array {
  const [count = 0, rank] = indices.shape
  const fits =
    count === elementCount(values) &&
    (indices.shape.length === 1 || (indices.shape.length === 2 && rank === shape.length))
  if (!fits)
    throw new EspalierError('bad-shape', 'the positions of a sparse tensor do not fit it', {
      expected: `[${elementCount(values)}] or [${elementCount(values)}, ${shape.length}]`,
      got: `[${indices.shape.join(', ')}]`,
    })
  const extents = rank === undefined ? [sizeOf(shape)] : shape
  const strides = stridesOf(extents)
  const positions = new Float64Array(count)
  for (let i = 0; i < count; i++)
    for (const [axis, extent] of extents.entries()) {
      const at = Number(indices.data[i * extents.length + axis])
      if (at < 0 || at >= extent) throw outside(at, axis, rank === undefined, shape)
      positions[i]! += at * strides[axis]!
    }
  return positions
}

function outside(at: number, axis: number, flat: boolean, shape: SparseTensor['shape']): EspalierError {
  return new EspalierError('bad-argument', 'a sparse tensor has a value outside its shape', {
    expected: flat ? `0 to ${sizeOf(shape) - 1}` : `0 to ${shape[axis]! - 1} along axis ${axis}`,
    got: `${at} in a tensor of shape ${formatShape(shape)}`,
  })
}

function densify(source: SparseTensor): Tensor {
  const { dtype, shape, values } = source
  const positions = positionsOf(source)
  if (dtypeInfo(dtype).stride !== 1) {
    // Packed and complex types: through numbers, which are exact for them.
    const width = Math.max(1, dtypeInfo(dtype).stride)
    const result = allocate('float64', sizeOf(shape) * width)
    const from = numbers(values)
    for (const [i, position] of positions.entries())
      for (let k = 0; k < width; k++) result[position * width + k] = from[i * width + k]!
    return fromNumbers(dtype, shape, result)
  }
  const data = allocate(dtype, sizeOf(shape)) as unknown[]
  const from = values.data as ArrayLike<unknown>
  for (const [i, position] of positions.entries()) data[position] = from[i]
  return tensor(dtype, shape, data as never)
}

/** Values and their places in the flattened tensor, ascending, none twice. */
export interface Coordinates {
  readonly positions: Uint32Array
  readonly values: Tensor
}

const coordinates = new WeakMap<Tensor, Coordinates>()

/** What is behind a tensor that {@link tensorOfSparse} made of a sparse one. */
export function coordinatesOf(constant: Tensor): Coordinates | undefined {
  return coordinates.get(constant)
}

/**
 * A sparse constant as a tensor whose elements are made when they are asked for, and kept no longer; dense at once where
 * positions are in no order or elements do not fill whole bytes. Throws as {@link denseOf}.
 */
export function tensorOfSparse(source: SparseTensor): Tensor {
  const { dtype, shape, values } = source
  const size = sizeOf(shape)
  if (dtype === 'string' || dtypeInfo(dtype).stride !== 1 || size > MOST_PLACES) return densify(source)
  const positions = Uint32Array.from(positionsOf(source))
  if (positions.some((position, i) => i > 0 && position <= positions[i - 1]!)) return densify(source)
  const made = tensorFromBytes(dtype, shape, {
    byteLength: byteLength(dtype, size),
    fill: (target: Uint8Array) => target.set(tensorBytes(densify(source))),
  })
  coordinates.set(made, { positions, values })
  return made
}

/** Places that a 32-bit number tells apart. */
const MOST_PLACES = 2 ** 32

/** The graph with its sparse constants as {@link tensorOfSparse} makes them. Bodies are left as they are. */
export function withSparseAsTensors(graph: Graph): Graph {
  if (![...graph.initializers.values()].some(isSparse)) return graph
  const initializers = new Map(
    [...graph.initializers].map(([name, constant]): [string, Initializer] => [
      name,
      isSparse(constant) ? locate({ tensor: name }, () => tensorOfSparse(constant)) : constant,
    ]),
  )
  return { ...graph, initializers }
}

/** Bytes that a position takes in a sparse constant. */
const POSITION_BYTES = 8

/**
 * The sparse form of a dense constant: the elements whose bits are not all zero (minus zero is kept), at positions in the
 * flattened tensor. `undefined` where that takes no fewer bytes, and for elements that do not fill whole bytes.
 */
export function sparsify(source: Tensor): SparseTensor | undefined {
  const { dtype, shape } = source
  const width = dtypeInfo(dtype).bits / 8
  if (dtype === 'string' || !Number.isInteger(width)) return undefined
  const bytes = tensorBytes(source)
  const elements = sizeOf(shape)
  const most = Math.floor((byteLength(dtype, elements) - 1) / (width + POSITION_BYTES))
  const kept: number[] = []
  for (let i = 0; i < elements; i++) {
    let used = false
    for (let k = i * width; k < (i + 1) * width && !used; k++) used = bytes[k] !== 0
    if (!used) continue
    if (kept.length >= most) return undefined
    kept.push(i)
  }
  const values = allocate('uint8', kept.length * width)
  for (const [i, at] of kept.entries()) values.set(bytes.subarray(at * width, (at + 1) * width), i * width)
  return {
    dtype,
    shape,
    values: tensorFromBytes(dtype, [kept.length], values),
    indices: tensor('int64', [kept.length], BigInt64Array.from(kept, BigInt)),
  }
}

/** Smallest dense constant, in bytes, that is made sparse: below, a position would cost more than it saves in a model. */
const SMALLEST = 1024

/** The graph with dense constants in sparse form wherever that takes fewer bytes. Bodies are left as they are. */
export function withSparseInitializers(graph: Graph): Graph {
  const small = (constant: Tensor): boolean =>
    constant.dtype === 'string' || byteLength(constant.dtype, sizeOf(constant.shape)) < SMALLEST
  const initializers = new Map(
    [...graph.initializers].map(([name, constant]): [string, Initializer] => [
      name,
      isSparse(constant) || small(constant) ? constant : (sparsify(constant) ?? constant),
    ]),
  )
  return { ...graph, initializers }
}
