/**
 * A tensor as a file stores it: which codecs, with what parameters, and the parts that they made. Writing makes one from
 * a tensor by taking the smallest; reading makes one from a file, and gives the tensor back.
 */
import { EspalierError } from '../../errors.ts'
import { type Initializer, isSparse, type SparseTensor } from '../../graph/graph.ts'
import { positionsOf } from '../../graph/sparse.ts'
import { byteLength, type DType } from '../../tensor/dtype.ts'
import { type Shape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import { allocate, type Tensor, tensor, tensorBytes } from '../../tensor/tensor.ts'
import { codecs, type Extents, type PatternCodec } from './codecs/index.ts'
import { elementBits, gather, hasPatterns, type Patterns, patternsOf, supportOf } from './elements.ts'
import { type EntropyForm, entropyBound } from './entropy.ts'
import { isWithinLimits, MOST_ELEMENTS } from './limits.ts'
import { checkView, extentsOf, isNatural, type MatrixView, naturalView } from './matrix.ts'
import { type EncodedValues, plain, type ValueCodec, valueCodecs } from './values/index.ts'

/** The name of the codec that stores every element. */
export const RAW = 'raw'

export interface StoredTensor {
  readonly dtype: DType
  readonly shape: Shape
  /** The matrix that the pattern and the order of the values are those of. */
  readonly view: MatrixView
  /** A pattern codec, or `raw`. */
  readonly codec: string
  readonly parameters: readonly number[]
  /** Number of elements that are stored. */
  readonly stored: number
  /** Empty for `raw`. */
  readonly pattern: Uint8Array
  readonly valueCodec: string
  readonly encoded: EncodedValues
  /** Axes of the positions of a sparse constant (ONNX `sparse_tensor`); 0 for positions in the flattened tensor. */
  readonly sparse?: number
}

/** Share of elements from which on leaving out the zeros is not tried: their pattern would take more than they do. */
const NEARLY_ALL = 0.97

/** A tensor, its elements left aside, and how it is read. */
interface Form {
  readonly dtype: DType
  readonly shape: Shape
  readonly view: MatrixView
  readonly extents: Extents
  readonly elements: number
}

/**
 * The smallest form of a constant. `view` says how it is read as a matrix; a sparse constant keeps its explicit zeros, and
 * its own order. Throws `bad-dtype` for strings, `bad-argument` for a view of other axes, and for a sparse constant whose
 * positions do not ascend.
 */
export function storeTensor(source: Initializer, view: MatrixView = naturalView(source.shape)): StoredTensor {
  if (isSparse(source)) return storeSparse(source)
  checkView(source.shape, view)
  const form = formOf(source, view)
  const { dtype, shape, elements } = form
  if (!hasPatterns(dtype) || elements > MOST_ELEMENTS) return storeWhole(source)
  const patterns = patternsOf(source)
  const positions = supportOf(patterns, shape, view)
  const valuesAt = (stored: Uint32Array): Values =>
    encodeValues(form, gather(dtype, patterns, shape, view, stored), stored)
  const values = valuesAt(positions)
  const usable = positions.length <= NEARLY_ALL * elements ? codecs : []
  const chosen = smallestChoice(form, positions, values.codec, usable)
  const bytes = wholeBytes(form, values.codec)
  if (chosen !== undefined && chosen.bytes < bytes) return finish(form, positions, values, valuesAt, chosen)
  return values.codec === plain ? storeWhole(source) : finish(form, positions, values, valuesAt)
}

function storeSparse(source: SparseTensor): StoredTensor {
  const form = formOf(source, naturalView(source.shape))
  if (form.elements > MOST_ELEMENTS || !hasPatterns(form.dtype))
    throw new EspalierError('too-large', 'a sparse constant with this many elements cannot be stored')
  const positions = Uint32Array.from(positionsOf(source))
  if (positions.some((position, i) => i > 0 && position <= positions[i - 1]!))
    throw new EspalierError('bad-argument', 'the positions of a sparse constant do not ascend')
  const values = encodeValues(form, patternsOf(source.values), positions)
  const exact = codecs.filter(codec => codec.exact)
  const chosen = smallestChoice(form, positions, values.codec, exact)
  const axes = source.indices.shape.length === 2 ? form.shape.length : 0
  return { ...finish(form, positions, values, () => values, chosen), sparse: axes }
}

function formOf({ dtype, shape }: Initializer, view: MatrixView): Form {
  return { dtype, shape, view, extents: extentsOf(shape, view), elements: sizeOf(shape) }
}

function storeWhole(source: Tensor): StoredTensor {
  return {
    dtype: source.dtype,
    shape: source.shape,
    view: naturalView(source.shape),
    codec: RAW,
    parameters: [],
    stored: sizeOf(source.shape),
    pattern: new Uint8Array(0),
    valueCodec: plain.name,
    encoded: { parameters: [], values: source },
  }
}

interface Values {
  readonly codec: ValueCodec
  readonly encoded: EncodedValues
}

/** Values in the codec of the fewest bytes. */
function encodeValues({ dtype, extents }: Form, patterns: Patterns, positions: Uint32Array): Values {
  const fitting = valueCodecs.flatMap(codec => {
    const encoded = codec.encode({ dtype, patterns, positions, extents })
    return encoded === undefined ? [] : [{ codec, encoded, bytes: valueBytes(encoded) }]
  })
  const [smallest] = fitting.sort((a, b) => a.bytes - b.bytes)
  if (smallest !== undefined) return smallest
  throw new EspalierError('bad-dtype', `elements of ${dtype} cannot be stored`)
}

interface Choice {
  readonly codec: PatternCodec
  readonly parameters: readonly number[]
  /** Of pattern and values. */
  readonly bytes: number
}

/** The smallest way to store a pattern with its values, of those that a reader takes. */
function smallestChoice(
  { dtype, extents, elements }: Form,
  positions: Uint32Array,
  values: ValueCodec,
  usable: readonly PatternCodec[],
): Choice | undefined {
  const bits = values.bits ?? elementBits(dtype)
  let best: Choice | undefined
  for (const codec of usable)
    for (const { parameters, bytes: pattern, stored } of codec.plans(positions, extents)) {
      const bytes = pattern + Math.ceil((stored * bits) / 8)
      if (isWithinLimits(dtype, elements, bytes) && bytes < (best?.bytes ?? Number.POSITIVE_INFINITY))
        best = { codec, parameters, bytes }
    }
  return best
}

/** Bytes of the values when all elements are stored. */
function wholeBytes({ dtype, elements }: Form, values: ValueCodec): number {
  return Math.ceil((elements * (values.bits ?? elementBits(dtype))) / 8)
}

/** What is stored: the pattern that was chosen, or all elements, with the values that belong to it. */
function finish(
  { dtype, shape, view, extents, elements }: Form,
  positions: Uint32Array,
  values: Values,
  valuesAt: (stored: Uint32Array) => Values,
  chosen?: Choice,
): StoredTensor {
  const { pattern, positions: stored } = chosen?.codec.encode(positions, extents, chosen.parameters) ?? {
    pattern: new Uint8Array(0),
    positions: allPositions(elements),
  }
  const { codec, encoded } = stored.length === positions.length ? values : valuesAt(stored)
  return {
    dtype,
    shape,
    view,
    codec: chosen?.codec.name ?? RAW,
    parameters: chosen?.parameters ?? [],
    stored: stored.length,
    pattern,
    valueCodec: codec.name,
    encoded,
  }
}

/** 0, 1, ... below `count`. */
export function allPositions(count: number): Uint32Array {
  const positions = allocate('uint32', count)
  for (let i = 0; i < count; i++) positions[i] = i
  return positions
}

/** Bytes of all parts. */
export function storedBytesOf({ pattern, encoded }: StoredTensor): number {
  return pattern.length + valueBytes(encoded)
}

function valueBytes({ values, scales }: EncodedValues): number {
  return tensorBytes(values).length + (scales?.data.byteLength ?? 0)
}

/** What the form of a stored tensor is random in. */
export function entropyFormOf({ codec, parameters }: StoredTensor): EntropyForm {
  if (codec === 'n:m') return { kind: 'groups', n: parameters[0]!, m: parameters[1]! }
  return codec === 'block' ? { kind: 'blocks', size: parameters[0]! * parameters[1]! } : { kind: 'elements' }
}

/** Bytes that no code of this form, with these value bits, can be below: see {@link entropyBound}. Scales are counted. */
export function boundOf(source: StoredTensor): number {
  const { shape, stored, encoded } = source
  const elements = sizeOf(shape)
  const scales = encoded.scales?.data.byteLength ?? 0
  if (source.codec === RAW) return storedBytesOf(source)
  return entropyBound(elements, stored, elementBits(encoded.values.dtype), entropyFormOf(source)) + scales
}

/** Bytes that the tensor takes with every element stored. */
export function denseBytesOf({ dtype, shape }: StoredTensor): number {
  return byteLength(dtype, sizeOf(shape))
}

/** The sparse constant that a tensor was stored from. */
export function sparseOf(
  { dtype, shape, sparse }: StoredTensor,
  positions: Uint32Array,
  values: Tensor,
): SparseTensor {
  const axes = sparse ?? 0
  const strides = stridesOf(shape)
  const data = allocate('int64', positions.length * Math.max(1, axes))
  for (let i = 0; i < positions.length; i++) {
    if (axes === 0) data[i] = BigInt(positions[i]!)
    let rest = positions[i]!
    for (let axis = 0; axis < axes; axis++) {
      const step = strides[axis]!
      data[i * axes + axis] = BigInt(Math.floor(rest / step))
      rest %= step
    }
  }
  const indices = tensor('int64', axes === 0 ? [positions.length] : [positions.length, axes], data)
  return { dtype, shape, values, indices }
}

/** Whether a raw tensor lies in its own order, as bytes that need no decoding. */
export function isPlain({
  codec,
  valueCodec,
  view,
}: Pick<StoredTensor, 'codec' | 'valueCodec' | 'view'>): boolean {
  return codec === RAW && valueCodec === plain.name && isNatural(view)
}
