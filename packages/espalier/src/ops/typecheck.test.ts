import { describe, expect, test } from 'vitest'
import { type Node, tensorType, type ValueType } from '../graph/graph.ts'
import type { DType } from '../tensor/dtype.ts'
import { float32, int64, type RuntimeValue, type Tensor, zeros } from '../tensor/tensor.ts'
import { optionalsOf, type Schema, sequencesOf } from './schema.ts'
import { checkValues, dtypeProblems } from './typecheck.ts'

const schema: Schema = {
  inputs: ['X: T', 'Y: T', 'axis?: I', 'rest...?: T'],
  outputs: ['Z: T'],
  types: { T: ['float32', 'float64'], I: ['int32', 'int64', 'bool'] },
}
const anything: Schema = {
  inputs: ['only: bool', 'values...: V*'],
  outputs: [],
  types: { V: ['float32', 'int64'] },
}
const containers: Schema = {
  inputs: ['list: S', 'maybe: O'],
  outputs: [],
  types: { S: sequencesOf(['float32', 'int8']), O: optionalsOf(['float32']) },
}

const node: Node = { name: 'n', op: 'Op', domain: '', inputs: [], outputs: [], attributes: new Map() }

describe('tensors', () => {
  const takes = (input: string, types: string, found: string): string =>
    `input ${input} is ${found}, the operator takes ${types}`

  test.each<[Schema, (DType | undefined)[], string[]]>([
    [schema, ['float32', 'float32', 'int64', 'float32', 'float32'], []],
    [schema, ['float64', 'float64', undefined, 'float64'], []],
    [schema, ['float32', undefined], []],
    [
      schema,
      ['int8', 'int8'],
      [takes('"X"', 'float32 or float64', 'int8'), takes('"Y"', 'float32 or float64', 'int8')],
    ],
    [schema, ['float32', 'float64'], ['inputs "X" and "Y" must have one type, but are float32 and float64']],
    [schema, ['float32', 'float32', 'float32'], [takes('"axis"', 'int32, int64 or bool', 'float32')]],
    [
      schema,
      ['float32', 'float32', undefined, 'float32', 'float64'],
      ['inputs "X" and 4 ("rest") must have one type, but are float32 and float64'],
    ],
    [anything, ['bool', 'float32', 'int64', 'float32'], []],
    [
      anything,
      ['int8', 'float32', 'bool'],
      [takes('"only"', 'bool', 'int8'), takes('2 ("values")', 'float32 or int64', 'bool')],
    ],
    [{ inputs: [], outputs: [] }, ['bool'], []],
  ])('%#: %j', (given, dtypes, messages) => {
    const types = dtypes.map(dtype => dtype && tensorType(dtype))
    expect(dtypeProblems(node, given, types)).toEqual(messages.map(message => ({ message, node: 'n (Op)' })))
    const check = (): void =>
      checkValues(
        given,
        dtypes.map(dtype => dtype && (zeros(dtype, [1]) as Tensor)),
      )
    if (messages.length === 0) check()
    else expect(check).toThrow(expect.objectContaining({ code: 'bad-dtype' }))
  })
  test('are refused with what would do', () => {
    expect(() => checkValues(schema, [int64([1])])).toThrow(
      'input "X" has a type that the operator does not take; expected float32 or float64, got int64',
    )
    expect(() => checkValues(schema, [float32([1]), zeros('float64', [1])])).toThrow(
      'input "Y" must have the type of input "X"; expected float32, got float64',
    )
  })
})

describe('sequences and optionals', () => {
  const sequence = (element?: ValueType): ValueType => ({ kind: 'sequence', ...(element && { element }) })
  const optional = (element?: ValueType): ValueType => ({ kind: 'optional', ...(element && { element }) })
  const float = tensorType('float32')

  test.each<[ValueType, ValueType | undefined, string[]]>([
    [sequence(float), optional(float), []],
    [sequence(tensorType('int8')), optional(sequence(float)), []],
    [sequence(float), float, []],
    [sequence(float), sequence(float), []],
    [sequence(), optional(), []],
    [sequence(float), undefined, []],
    [sequence(tensorType('bool')), optional(float), ['"list" is seq(bool)']],
    [float, optional(tensorType('int8')), ['"list" is float32', '"maybe" is optional(int8)']],
    [{ kind: 'map', key: 'int64' }, { kind: 'opaque', domain: '', name: 'x' }, []],
  ])('%j and %j as types', (list, maybe, problems) => {
    const messages = dtypeProblems(node, containers, [list, maybe]).map(({ message }) => message)
    expect(messages).toEqual(
      problems.map(text => expect.stringContaining(`input ${text}, the operator takes `)),
    )
  })
  test.each<[RuntimeValue, RuntimeValue, string | undefined]>([
    [[float32([1])], float32([1]), undefined],
    [[], null, undefined],
    [[], [float32([1])], undefined],
    [float32([1]), null, 'seq(float32) or seq(int8), got float32'],
    [[int64([1])], null, 'got seq(int64)'],
    [[[float32([1])]], null, 'got seq(seq(float32))'],
    [[], int64([1]), 'optional(seq(float32)), optional(float32), seq(float32) or float32, got int64'],
  ])('%#: as values', (list, maybe, message) => {
    const check = (): void => checkValues(containers, [list, maybe])
    if (message === undefined) check()
    else expect(check).toThrow(message)
  })
})
