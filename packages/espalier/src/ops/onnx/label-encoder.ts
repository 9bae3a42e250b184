/**
 * A mapping from labels to labels (ai.onnx.ml). Version 1 numbers a list of strings, in either direction;
 * version 2 maps between two lists of keys and values; version 4 also takes the lists as tensors.
 */
import { EspalierError } from '../../errors.ts'
import { type Attribute, tensorType } from '../../graph/graph.ts'
import type { DType } from '../../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers, numbers, strings } from '../../tensor/elements.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'
import type { Attributes, EvaluateContext, InferContext, Op } from '../op.ts'
import { float, int, optional, type Schema, string, type TypeName } from '../schema.ts'

const version = (T: readonly TypeName[], tensors: boolean): Schema => ({
  inputs: ['X: T1'],
  outputs: ['Y: T2'],
  types: { T1: T, T2: T },
  attributes: {
    default_float: float(-0),
    default_int64: int(-1),
    default_string: string('_Unused'),
    ...(tensors && { default_tensor: optional('tensor') }),
    keys_floats: optional('floats'),
    keys_int64s: optional('ints'),
    keys_strings: optional('strings'),
    ...(tensors && { keys_tensor: optional('tensor') }),
    values_floats: optional('floats'),
    values_int64s: optional('ints'),
    values_strings: optional('strings'),
    ...(tensors && { values_tensor: optional('tensor') }),
  },
})

export const LabelEncoder: Op = {
  name: 'LabelEncoder',
  domain: 'ai.onnx.ml',
  doc: 'Replaces every key by its value, and what is no key by a default.',
  versions: {
    1: {
      inputs: ['X: T1'],
      outputs: ['Y: T2'],
      types: { T1: ['string', 'int64'], T2: ['string', 'int64'] },
      attributes: {
        classes_strings: optional('strings'),
        default_int64: int(-1),
        default_string: string('_Unused'),
      },
    },
    2: version(['string', 'int64', 'float32'], false),
    4: version(['string', 'int64', 'float32', 'int32', 'int16'], true),
  },
  infer(c: InferContext) {
    const dtype = c.dtype(0)
    if (c.version > 1) return [tensorType(listOf(c.attributes, 'values').dtype, c.shape(0))]
    return dtype === undefined
      ? [undefined]
      : [tensorType(dtype === 'string' ? 'int64' : 'string', c.shape(0))]
  },
  evaluate(c: EvaluateContext) {
    const x = c.tensor(0)
    const { keys, values, fallback } = mappingOf(c.attributes, c.version, x.dtype)
    if (keys.dtype !== x.dtype)
      throw new EspalierError('bad-dtype', 'the keys have another data type than the input', {
        expected: keys.dtype,
        got: x.dtype,
      })
    if (sizeOf(keys.shape) !== sizeOf(values.shape))
      throw new EspalierError('bad-argument', 'there are not as many keys as values', {
        expected: `${sizeOf(keys.shape)} values`,
        got: `${sizeOf(values.shape)}`,
      })
    const positions = new Map(labels(keys).map((key, index) => [key, index]))
    const [known, other] = [labels(values), labels(fallback)[0]!]
    const found = labels(x).map(label => {
      const position = positions.get(label)
      return position === undefined ? other : known[position]!
    })
    return [tensorOfLabels(values.dtype, x.shape, found)]
  },
}

interface Mapping {
  readonly keys: Tensor
  readonly values: Tensor
  /** One element: the value of what is no key. */
  readonly fallback: Tensor
}

function mappingOf(attributes: Attributes, version: number, input: DType): Mapping {
  if (version === 1) {
    const classes = stringTensor(attributes.strings('classes_strings'))
    const numbering = fromNumbers(
      'int64',
      classes.shape,
      Array.from(classes.data as string[], (_, index) => index),
    )
    return input === 'string'
      ? {
          keys: classes,
          values: numbering,
          fallback: fromNumbers('int64', [1], [attributes.int('default_int64')]),
        }
      : { keys: numbering, values: classes, fallback: stringTensor([attributes.string('default_string')]) }
  }
  const values = listOf(attributes, 'values')
  return { keys: listOf(attributes, 'keys'), values, fallback: fallbackOf(attributes, values) }
}

/** The one list of keys or of values that is given. Throws `invalid-graph` when there is none, or several. */
function listOf(attributes: Attributes, side: 'keys' | 'values'): Tensor {
  const given = [`${side}_tensor`, `${side}_strings`, `${side}_int64s`, `${side}_floats`].flatMap(
    name => attributes.get(name) ?? [],
  )
  const [list] = given
  if (list === undefined || given.length > 1)
    throw new EspalierError('invalid-graph', `one list of ${side} is wanted`, { got: `${given.length}` })
  return tensorOfAttribute(list)
}

function tensorOfAttribute(list: Attribute): Tensor {
  switch (list.type) {
    case 'tensor':
      return list.value
    case 'floats':
      return fromNumbers('float32', [list.value.length], list.value)
    case 'ints':
      return fromBigInts('int64', [list.value.length], list.value.map(BigInt))
    case 'strings':
      return stringTensor(
        list.value.map(text => (typeof text === 'string' ? text : new TextDecoder().decode(text))),
      )
    default:
      throw new EspalierError('invalid-graph', `a list of labels is a ${list.type}`)
  }
}

/** The default for values like `values`. */
function fallbackOf(attributes: Attributes, values: Tensor): Tensor {
  if (attributes.has('default_tensor')) {
    const given = attributes.tensor('default_tensor')
    if (given.dtype !== values.dtype || sizeOf(given.shape) !== 1)
      throw new EspalierError('invalid-graph', 'the default is not one value of the type of the values', {
        where: { field: 'default_tensor' },
        expected: `one ${values.dtype}`,
        got: `${sizeOf(given.shape)} of ${given.dtype}`,
      })
    return given
  }
  if (values.dtype === 'string') return stringTensor([attributes.string('default_string')])
  const name = values.dtype === 'float32' || values.dtype === 'float64' ? 'default_float' : 'default_int64'
  const value = name === 'default_float' ? attributes.float(name) : attributes.int(name)
  return fromNumbers(values.dtype, [1], [value])
}

const stringTensor = (list: readonly string[]): Tensor => tensor('string', [list.length], list)

/** Elements as map keys: NaN equals NaN there, and the zeros are one. */
function labels(source: Tensor): (string | number | bigint)[] {
  if (source.dtype === 'string') return [...strings(source)]
  return source.dtype === 'int64' ? Array.from(bigints(source)) : Array.from(numbers(source))
}

function tensorOfLabels(dtype: DType, shape: readonly number[], list: (string | number | bigint)[]): Tensor {
  if (dtype === 'string') return tensor('string', shape, list as string[])
  return dtype === 'int64'
    ? fromBigInts(dtype, shape, list as bigint[])
    : fromNumbers(dtype, shape, list as number[])
}
