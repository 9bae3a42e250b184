/** Shrinkage: hard without bias, soft with bias equal to lambd. For integers the result is truncated. */
import type { Op } from '../op.ts'
import { float, numeric16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { apply, choose, compare, constant, lowerFloat, type Value } from '../support/lower-elementwise.ts'

const schema: Schema = {
  inputs: ['input: T'],
  outputs: ['output: T'],
  attributes: { bias: float(0), lambd: float(0.5) },
}

export const Shrink: Op = unary(
  {
    name: 'Shrink',
    doc: 'x + bias below -lambd, x - bias above lambd, zero in between, element by element.',
    lower: lowerFloat((x, c) => shrink(x, c.attributes.float('bias'), c.attributes.float('lambd'))),
    versions: { 9: { ...schema, types: { T: numeric16 } } },
  },
  c => {
    const bias = c.attributes.float('bias')
    const lambd = c.attributes.float('lambd')
    return x => {
      if (x < -lambd) return x + bias
      return x > lambd ? x - bias : 0
    }
  },
)

function shrink(x: Value, bias: number, lambd: number): Value {
  const number = (value: number): Value => constant(x.dtype, value)
  const inside = choose(compare('less', number(lambd), x), apply('sub', x, number(bias)), number(0))
  return choose(compare('less', x, number(-lambd)), apply('add', x, number(bias)), inside)
}
