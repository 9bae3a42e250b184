/**
 * NumPy in pickles: arrays, scalars and data types, as checkpoints hold them beside their tensors (step counters,
 * losses, vocabularies). Names are those of NumPy 1 (`numpy.core`) and 2 (`numpy._core`).
 */
import { EspalierError } from '../../errors.ts'
import { bigints, numbers } from '../../tensor/elements.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { arrayFromBytes } from '../npy/array.ts'
import { type Elements, parseDescr } from '../npy/dtypes.ts'
import { badCall } from './pickle/builtins.ts'
import { COST, type GlobalRule, inertObject, type PickleContext } from './pickle/machine.ts'
import { describePy, isPyGlobal, isPyObject, type PyTensor, type PyValue } from './pickle/python.ts'
import { narrow } from './pickle/text.ts'
import { isSize } from './storage.ts'
import { MAX_RANK } from './view.ts'

type BuildingTensor = { -readonly [K in keyof PyTensor]: PyTensor[K] | undefined }

/** NumPy's part of reading one pickle. */
export interface NumpyGlobals {
  rule(name: string): GlobalRule | undefined
  /** Gives an array its contents; whether `target` is an array that waits for them. */
  setState(target: PyValue, state: PyValue, context: PickleContext): boolean
  /** Throws `malformed` when an array never got its contents. */
  finish(): void
}

export function numpyGlobals(): NumpyGlobals {
  /** Arrays that were made, and have no contents yet. */
  const waiting = new Set<PyValue>()

  const reconstruct = (args: readonly PyValue[]): PyValue => {
    const [cls] = args
    if (!isPyGlobal(cls) || cls.name !== 'numpy.ndarray') throw badCall('_reconstruct', args)
    const made: BuildingTensor = { type: 'tensor', tensor: undefined, requiresGrad: false }
    waiting.add(made as PyTensor)
    return made as PyTensor
  }

  const rules = new Map<string, GlobalRule>([
    ['multiarray._reconstruct', reconstruct],
    ['multiarray.scalar', scalar],
    ['numeric._frombuffer', fromBuffer],
  ])

  return {
    rule(name) {
      if (name === 'numpy.dtype') return 'inert'
      if (SCALAR_CLASS.test(name)) return 'data'
      return rules.get(/^numpy\._?core\.(.+)$/.exec(name)?.[1] ?? '')
    },
    setState(target, state, context) {
      if (!waiting.delete(target)) return false
      // (version, shape, dtype, whether column-major, bytes); the first version had no number
      const [shape, dtype, fortranOrder, bytes] = Array.isArray(state) ? state.slice(-4) : []
      ;(target as BuildingTensor).tensor = makeArray(shape, dtype, fortranOrder === true, bytes, context)
      return true
    },
    finish() {
      if (waiting.size > 0)
        throw new EspalierError('malformed', 'the pickle has a NumPy array without contents')
    },
  }
}

const SCALAR_CLASS =
  /^numpy\.(ndarray|bool_?|(u?int|float|complex)\d+|half|single|double|longlong|intc|intp|uint|str_|bytes_)$/

function makeArray(
  shape: PyValue | undefined,
  dtype: PyValue | undefined,
  fortranOrder: boolean,
  bytes: PyValue | undefined,
  context: PickleContext,
): Tensor {
  if (!Array.isArray(shape) || !shape.every(isSize) || shape.length > MAX_RANK)
    throw new EspalierError('malformed', 'a NumPy array has no shape', { got: describePy(shape) })
  const elements = elementsOf(dtype)
  const content = typeof bytes === 'string' ? encode(bytes, context) : bytes
  const count = sizeOf(shape)
  const length = count * elements.width
  if (!(content instanceof Uint8Array) || content.length !== length)
    throw new EspalierError(
      'malformed',
      `the contents do not fill a NumPy array of shape ${formatShape(shape)}`,
      { expected: `${length} bytes`, got: describePy(content) },
    )
  const { dtype: type, bigEndian } = elements
  if (type === 'string') context.charge(count * COST.entry + length)
  else if (fortranOrder || bigEndian || type === 'bool') context.charge(length)
  return arrayFromBytes(elements, [...shape], fortranOrder, content)
}

/** The bytes of a Python 2 string, which came as text because they are valid UTF-8. */
function encode(text: string, context: PickleContext): Uint8Array {
  context.charge(4 * text.length)
  return new TextEncoder().encode(text)
}

/** What a pickled `numpy.dtype` says: its name in the arguments, its byte order in the state. */
function elementsOf(dtype: PyValue | undefined): Elements {
  const name = isPyObject(dtype) && dtype.class === 'numpy.dtype' ? dtype.args[0] : undefined
  if (typeof name !== 'string')
    throw new EspalierError('malformed', 'a NumPy array has no type', { got: describePy(dtype) })
  if (name.startsWith('O'))
    throw new EspalierError('unsupported-format', 'NumPy arrays of Python objects are not supported')
  const state = isPyObject(dtype) && Array.isArray(dtype.state) ? dtype.state : []
  return parseDescr(`${state[1] === '>' ? '>' : '<'}${name}`)
}

/** `scalar(dtype, bytes)`: a number, boolean or text. */
function scalar(args: readonly PyValue[], context: PickleContext): PyValue {
  const [dtype, bytes] = args
  if (args.length !== 2) throw badCall('numpy.scalar', args)
  const value = makeArray([], dtype, false, bytes, context)
  if (value.dtype === 'string') return value.data[0]!
  if (value.dtype === 'bool') return value.data[0] === 1
  if (value.dtype === 'complex64' || value.dtype === 'complex128')
    return inertObject('builtins.complex', [...value.data])
  if (value.dtype === 'int64' || value.dtype === 'uint64') return narrow(bigints(value)[0]!)
  return numbers(value)[0]!
}

/** `_frombuffer(bytes, dtype, shape, order)`: how protocol 5 holds arrays. */
function fromBuffer(args: readonly PyValue[], context: PickleContext): PyValue {
  const [bytes, dtype, shape, order] = args
  if (args.length !== 4 || (order !== 'C' && order !== 'F')) throw badCall('_frombuffer', args)
  return {
    type: 'tensor',
    tensor: makeArray(shape, dtype, order === 'F', bytes, context),
    requiresGrad: false,
  }
}
