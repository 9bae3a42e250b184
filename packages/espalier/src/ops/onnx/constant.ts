/** A constant held in an attribute. */
import { EspalierError } from '../../errors.ts'
import type { Attribute } from '../../graph/graph.ts'
import { tensorType } from '../../graph/graph.ts'
import { denseOf } from '../../graph/sparse.ts'
import type { DType } from '../../tensor/dtype.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import type { Shape } from '../../tensor/shape.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'
import type { Attributes, NodeContext, Op } from '../op.ts'
import {
  type AttributeSchema,
  allTypes,
  allTypes19,
  floats16,
  optional,
  required,
  type Schema,
  type TypeName,
} from '../schema.ts'
import { lowerConstant } from '../support/lower-movement.ts'
import { outputSize } from '../support/movement.ts'
import { since21, upTo13, versionsOf } from '../support/versions.ts'

const version = (T: readonly TypeName[], attributes: Readonly<Record<string, AttributeSchema>>): Schema => ({
  inputs: [],
  outputs: ['output: T'],
  types: { T },
  attributes,
})
const dense = { value: required('tensor') }
const denseOrSparse = { sparse_value: optional('sparse_tensor'), value: optional('tensor') }
const anyForm = {
  ...denseOrSparse,
  value_float: optional('float'),
  value_floats: optional('floats'),
  value_int: optional('int'),
  value_ints: optional('ints'),
  value_string: optional('string'),
  value_strings: optional('strings'),
}
/** The attributes that may hold the value; exactly one does. */
const forms = Object.keys(anyForm)

export const Constant: Op = {
  name: 'Constant',
  doc: 'The value of its attribute.',
  versions: {
    1: version(floats16, dense),
    9: version(allTypes, dense),
    11: version(allTypes, denseOrSparse),
    ...versionsOf({ 12: allTypes, ...upTo13, 19: allTypes19, ...since21 }, T => version(T, anyForm)),
  },
  infer(c) {
    const { dtype, shape } = typeOf(c.attributes, formOf(c))
    return [tensorType(dtype, shape)]
  },
  evaluate(c) {
    return [attributeValue(c.attributes, formOf(c))]
  },
  lower: c => lowerConstant(c, attributeValue(c.attributes, formOf(c))),
}

/** The one attribute that is given. */
function formOf(c: Pick<NodeContext, 'attributes'>): string {
  const given = forms.filter(name => c.attributes.has(name))
  if (given.length === 1) return given[0]!
  throw new EspalierError('invalid-graph', 'a constant has exactly one value', {
    expected: `one of ${forms.join(', ')}`,
    got: given.length === 0 ? 'none' : given.join(', '),
  })
}

function typeOf(attributes: Attributes, form: string): { readonly dtype: DType; readonly shape: Shape } {
  switch (form) {
    case 'value':
      return attributes.tensor(form)
    case 'sparse_value':
      return attributes.sparse(form)
    case 'value_float':
      return { dtype: 'float32', shape: [] }
    case 'value_floats':
      return { dtype: 'float32', shape: [attributes.floats(form).length] }
    case 'value_int':
      return { dtype: 'int64', shape: [] }
    case 'value_ints':
      return { dtype: 'int64', shape: [attributes.ints(form).length] }
    case 'value_string':
      return { dtype: 'string', shape: [] }
    default:
      return { dtype: 'string', shape: [attributes.strings(form).length] }
  }
}

function attributeValue(attributes: Attributes, form: string): Tensor {
  const { shape } = typeOf(attributes, form)
  switch (form) {
    case 'value':
      return attributes.tensor(form)
    case 'sparse_value':
      outputSize(attributes.sparse(form).dtype, shape)
      return denseOf(attributes.sparse(form))
    case 'value_float':
      return fromNumbers('float32', shape, [attributes.float(form)])
    case 'value_floats':
      return fromNumbers('float32', shape, attributes.floats(form))
    case 'value_int':
    case 'value_ints':
      return tensor('int64', shape, BigInt64Array.from(exactIntegers(attributes.get(form)!), BigInt))
    case 'value_string':
      return tensor('string', shape, [attributes.string(form)])
    default:
      return tensor('string', shape, attributes.strings(form))
  }
}

/** Integers as the file has them, which the attribute's getter would clamp to 2^53. */
function exactIntegers(attribute: Attribute): readonly (number | bigint)[] {
  if (attribute.type === 'int') return [attribute.value]
  return attribute.type === 'ints' ? attribute.value : []
}
