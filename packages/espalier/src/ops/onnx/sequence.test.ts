import { describe, expect, test } from 'vitest'
import { tensorType, type ValueType } from '../../graph/graph.ts'
import { numbers } from '../../tensor/elements.ts'
import { float32, int64, isTensor, type RuntimeValue, type Tensor, tensor } from '../../tensor/tensor.ts'
import { evaluateOp, inferOp } from '../support/testing.ts'
import { ConcatFromSequence } from './concat-from-sequence.ts'
import { Optional } from './optional.ts'
import { OptionalGetElement } from './optional-get-element.ts'
import { OptionalHasElement } from './optional-has-element.ts'
import { SequenceAt } from './sequence-at.ts'
import { SequenceConstruct } from './sequence-construct.ts'
import { SequenceEmpty } from './sequence-empty.ts'
import { SequenceErase } from './sequence-erase.ts'
import { SequenceInsert } from './sequence-insert.ts'
import { SequenceLength } from './sequence-length.ts'
import { SplitToSequence } from './split-to-sequence.ts'

const [a, b, c] = [float32([1]), float32([2, 3]), float32([4, 5, 6])]
const position = (index: number): Tensor => int64(index)
const sequence = (element?: ValueType): ValueType => ({ kind: 'sequence', ...(element && { element }) })
const fails = (code: string): unknown => expect.objectContaining({ code })

/** Shape and elements of every tensor of a sequence. */
function parts(value: RuntimeValue | undefined): unknown[] {
  if (!Array.isArray(value)) throw new Error('not a sequence')
  return value.map(part => (isTensor(part) ? [part.shape.join('x'), ...Array.from(numbers(part))] : part))
}

describe('elements', () => {
  test('are taken, put in and removed at positions from either end', () => {
    const list = [a, b, c]
    expect(evaluateOp(SequenceAt, [list, position(0)])).toEqual([a])
    expect(evaluateOp(SequenceAt, [list, position(-1)])).toEqual([c])
    expect(evaluateOp(SequenceErase, [list, position(1)])).toEqual([[a, c]])
    expect(evaluateOp(SequenceErase, [list, position(-3)])).toEqual([[b, c]])
    expect(evaluateOp(SequenceErase, [list])).toEqual([[a, b]])
    expect(evaluateOp(SequenceInsert, [[a, b], c])).toEqual([[a, b, c]])
    expect(evaluateOp(SequenceInsert, [[a, b], c, position(2)])).toEqual([[a, b, c]])
    expect(evaluateOp(SequenceInsert, [[a, b], c, position(-1)])).toEqual([[a, c, b]])
    expect(evaluateOp(SequenceInsert, [[a, b], c, int64([-2])])).toEqual([[c, a, b]])
    expect(evaluateOp(SequenceInsert, [[], c])).toEqual([[c]])
    expect(list).toEqual([a, b, c])
    expect(evaluateOp(SequenceLength, [list])).toEqual([int64(3)])
  })

  test('outside the sequence are refused', () => {
    for (const index of [3, -4]) {
      expect(() => evaluateOp(SequenceAt, [[a, b, c], position(index)])).toThrow(fails('bad-argument'))
      expect(() => evaluateOp(SequenceErase, [[a, b, c], position(index)])).toThrow(fails('bad-argument'))
      expect(() => evaluateOp(SequenceInsert, [[a, b], c, position(index)])).toThrow(fails('bad-argument'))
    }
    expect(() => evaluateOp(SequenceErase, [[]])).toThrow(fails('bad-argument'))
    expect(() => evaluateOp(SequenceAt, [[a], int64([0, 0])])).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(SequenceAt, [a, position(0)])).toThrow(fails('bad-dtype'))
  })

  test('have one data type', () => {
    expect(evaluateOp(SequenceConstruct, [a, b])).toEqual([[a, b]])
    expect(evaluateOp(SequenceEmpty, [], { dtype: 7 })).toEqual([[]])
    expect(() => evaluateOp(SequenceConstruct, [a, int64([1])])).toThrow(fails('bad-dtype'))
    expect(() => evaluateOp(SequenceInsert, [[a], int64([1])])).toThrow(fails('bad-dtype'))
  })

  test('have the type that all of them have', () => {
    const [one, two] = [tensorType('float32', ['n', 2]), tensorType('float32', ['n', 3])]
    const both = tensorType('float32', ['n', null])
    expect(inferOp(SequenceConstruct, [one, two])).toEqual([sequence(both)])
    expect(inferOp(SequenceConstruct, [one, undefined])).toEqual([sequence()])
    expect(inferOp(SequenceEmpty, [])).toEqual([sequence(tensorType('float32'))])
    expect(inferOp(SequenceEmpty, [], { dtype: 7 })).toEqual([sequence(tensorType('int64'))])
    expect(inferOp(SequenceInsert, [sequence(one), two])).toEqual([sequence(both)])
    expect(inferOp(SequenceErase, [sequence(one)])).toEqual([sequence(one)])
    expect(inferOp(SequenceAt, [sequence(one), tensorType('int64', [])])).toEqual([one])
    expect(inferOp(SequenceLength, [sequence(one)])).toEqual([tensorType('int64', [])])
  })
})

describe('SplitToSequence', () => {
  const x = float32([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [2, 5])
  const split = (lengths: Tensor | undefined, attributes = {}): unknown[] =>
    parts(evaluateOp(SplitToSequence, [x, lengths], attributes)[0])

  test('slices, chunks and given lengths', () => {
    expect(split(undefined)).toEqual([
      ['1x5', 0, 1, 2, 3, 4],
      ['1x5', 5, 6, 7, 8, 9],
    ])
    expect(split(undefined, { keepdims: 0, axis: -2 })).toEqual([
      ['5', 0, 1, 2, 3, 4],
      ['5', 5, 6, 7, 8, 9],
    ])
    expect(split(int64(2), { axis: 1, keepdims: 0 })).toEqual([
      ['2x2', 0, 1, 5, 6],
      ['2x2', 2, 3, 7, 8],
      ['2x1', 4, 9],
    ])
    expect(split(tensor('int32', [3], Int32Array.of(1, 0, 4)), { axis: -1 })).toEqual([
      ['2x1', 0, 5],
      ['2x0'],
      ['2x4', 1, 2, 3, 4, 6, 7, 8, 9],
    ])
    expect(split(int64([2]))).toEqual([['2x5', ...Array.from(x.data)]])
  })

  test('strings and packed types', () => {
    const words = tensor('string', [3], ['a', 'b', 'c'])
    expect(evaluateOp(SplitToSequence, [words, int64(2)])).toEqual([
      [tensor('string', [2], ['a', 'b']), tensor('string', [1], ['c'])],
    ])
    const halves = tensor('float16', [2], Uint16Array.of(0x3c00, 0x7e01))
    expect(evaluateOp(SplitToSequence, [halves], { keepdims: 0 })).toEqual([
      [tensor('float16', [], Uint16Array.of(0x3c00)), tensor('float16', [], Uint16Array.of(0x7e01))],
    ])
  })

  test('lengths that do not fit are refused', () => {
    expect(() => split(int64([1, 2]))).toThrow(fails('bad-argument'))
    expect(() => split(int64([3, -1]))).toThrow(fails('bad-argument'))
    expect(() => split(int64(0))).toThrow(fails('bad-argument'))
    expect(() => split(undefined, { axis: 2 })).toThrow(fails('bad-argument'))
  })

  test('inference', () => {
    const type = tensorType('float32', ['n', 6])
    const infer = (lengths: Tensor | ValueType | undefined, attributes: object): unknown =>
      inferOp(SplitToSequence, [type, lengths], { axis: 1, ...attributes })[0]
    expect(infer(undefined, {})).toEqual(sequence(tensorType('float32', ['n', 1])))
    expect(infer(undefined, { keepdims: 0 })).toEqual(sequence(tensorType('float32', ['n'])))
    expect(infer(int64(3), {})).toEqual(sequence(tensorType('float32', ['n', 3])))
    expect(infer(int64(4), {})).toEqual(sequence(tensorType('float32', ['n', null])))
    expect(infer(int64([3, 3]), {})).toEqual(sequence(tensorType('float32', ['n', 3])))
    expect(infer(tensorType('int64', []), {})).toEqual(sequence(tensorType('float32', ['n', null])))
    expect(infer(int64(3), { axis: 0 })).toEqual(sequence(tensorType('float32', [null, 6])))
  })
})

describe('ConcatFromSequence', () => {
  const [x, y] = [float32([1, 2], [1, 2]), float32([3, 4, 5, 6], [2, 2])]
  const join = (list: RuntimeValue[], attributes: object): unknown =>
    parts(evaluateOp(ConcatFromSequence, [list], { ...attributes }))[0]

  test('joins along an axis, there already or new', () => {
    expect(join([x, y], { axis: 0 })).toEqual(['3x2', 1, 2, 3, 4, 5, 6])
    expect(join([x, x], { axis: -1 })).toEqual(['1x4', 1, 2, 1, 2])
    expect(join([x, x], { axis: 0, new_axis: 1 })).toEqual(['2x1x2', 1, 2, 1, 2])
    expect(join([x, x], { axis: -1, new_axis: 1 })).toEqual(['1x2x2', 1, 1, 2, 2])
  })

  test('refuses what does not fit', () => {
    expect(() => join([x, y], { axis: 1 })).toThrow(fails('bad-shape'))
    expect(() => join([x, y], { axis: 0, new_axis: 1 })).toThrow(fails('bad-shape'))
    expect(() => join([x, float32([1])], { axis: 0 })).toThrow(fails('bad-shape'))
    expect(() => join([x, x], { axis: 2 })).toThrow(fails('bad-argument'))
    expect(() => join([], { axis: 0 })).toThrow(fails('bad-argument'))
  })

  test('inference', () => {
    const type = sequence(tensorType('float32', ['n', 2]))
    expect(inferOp(ConcatFromSequence, [type], { axis: 0 })).toEqual([tensorType('float32', [null, 2])])
    expect(inferOp(ConcatFromSequence, [type], { axis: -1, new_axis: 1 })).toEqual([
      tensorType('float32', ['n', 2, null]),
    ])
    expect(inferOp(ConcatFromSequence, [sequence()], { axis: 0 })).toEqual([undefined])
  })
})

describe('optionals', () => {
  const type = tensorType('float32', [1])
  const truth = (value: boolean): Tensor => tensor('bool', [], Uint8Array.of(value ? 1 : 0))

  test('hold a value or nothing', () => {
    expect(evaluateOp(Optional, [a])).toEqual([a])
    expect(evaluateOp(Optional, [[a, b]])).toEqual([[a, b]])
    expect(evaluateOp(Optional, [], { type: { type: 'type', value: type } })).toEqual([null])
    expect(() => evaluateOp(Optional, [])).toThrow(fails('invalid-graph'))
    expect(evaluateOp(OptionalGetElement, [a])).toEqual([a])
    expect(evaluateOp(OptionalGetElement, [[a]])).toEqual([[a]])
    expect(() => evaluateOp(OptionalGetElement, [null])).toThrow(fails('missing-input'))
    expect(evaluateOp(OptionalHasElement, [a])).toEqual([truth(true)])
    expect(evaluateOp(OptionalHasElement, [[]])).toEqual([truth(true)])
    expect(evaluateOp(OptionalHasElement, [null])).toEqual([truth(false)])
    expect(evaluateOp(OptionalHasElement, [undefined])).toEqual([truth(false)])
    expect(evaluateOp(OptionalHasElement, [])).toEqual([truth(false)])
  })

  test('inference', () => {
    expect(inferOp(Optional, [type])).toEqual([{ kind: 'optional', element: type }])
    expect(inferOp(Optional, [], { type: { type: 'type', value: type } })).toEqual([
      { kind: 'optional', element: type },
    ])
    expect(inferOp(OptionalGetElement, [{ kind: 'optional', element: type }])).toEqual([type])
    expect(inferOp(OptionalGetElement, [type])).toEqual([type])
    expect(inferOp(OptionalHasElement, [{ kind: 'optional' }])).toEqual([tensorType('bool', [])])
  })
})
