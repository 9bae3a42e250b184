import { describe, expect, test } from 'vitest'
import { float32 } from '../../tensor/tensor.ts'
import type { PyObject, PyTensor, PyValue } from './pickle/python.ts'
import { findStateDict } from './state-dict.ts'

const tensor = (value: number): PyTensor => ({
  type: 'tensor',
  tensor: float32([value]),
  requiresGrad: false,
})
const dict = (entries: Record<string, PyValue>) => new Map<PyValue, PyValue>(Object.entries(entries))
const object = (state: PyValue, more: Partial<PyObject> = {}): PyObject => ({
  type: 'object',
  class: 'a.B',
  args: [],
  state,
  ...more,
})

function names(root: PyValue, key?: string): string[] {
  return [...findStateDict(root, key).tensors.keys()]
}

describe('findStateDict', () => {
  test.each<[what: string, root: PyValue, names: string[]]>([
    ['a state dict', dict({ 'a.weight': tensor(1), steps: 3 }), ['a.weight']],
    ['a tensor alone', tensor(1), ['data']],
    ['a list', [tensor(1), [tensor(2)]], ['0', '1.0']],
    ['no tensors', dict({ a: 1, b: [null, 'x'] }), []],
    [
      'weights beside other state',
      dict({ state_dict: dict({ w: tensor(1) }), optimizer: dict({ m: tensor(2) }) }),
      ['w'],
    ],
    [
      'the first of several',
      dict({ model: dict({ b: tensor(1) }), state_dict: dict({ a: tensor(2) }) }),
      ['a'],
    ],
    [
      'one that leads to no tensor',
      dict({ model: dict({ b: tensor(1) }), state_dict: dict({ a: 2 }) }),
      ['b'],
    ],
    ['one inside the other', dict({ model: dict({ state_dict: dict({ a: tensor(1) }), epoch: 1 }) }), ['a']],
    ['a name that is only text', dict({ model: 'resnet', ema: dict({ w: tensor(1) }) }), ['ema.w']],
    ['tensors of its own besides', dict({ model: dict({ b: tensor(1) }), w: tensor(1) }), ['model.b', 'w']],
    [
      'no known entry',
      dict({ encoder: dict({ w: tensor(1) }), decoder: dict({ w: tensor(2) }) }),
      ['encoder.w', 'decoder.w'],
    ],
    [
      'keys of other kinds',
      new Map<PyValue, PyValue>([
        [0, tensor(1)],
        [true, tensor(2)],
        [[1, 'a'], tensor(3)],
        [null, tensor(4)],
      ]),
      ['0', 'true', '1,"a"', 'None'],
    ],
    [
      'an object',
      object(dict({ w: tensor(1) }), { items: [tensor(2)], entries: dict({ e: tensor(3) }) }),
      ['w', '0', 'e'],
    ],
    ['an object with slots', object([null, dict({ w: tensor(1) })]), ['w']],
  ])('%s', (_, root, expected) => {
    expect(names(root)).toEqual(expected)
  })

  test('a module is what its state_dict() would be', () => {
    const leaf = object(
      dict({
        training: true,
        _parameters: dict({ weight: tensor(1), bias: null }),
        _buffers: dict({ mean: tensor(2), cache: tensor(3) }),
        _non_persistent_buffers_set: new Set<PyValue>(['cache']),
        _modules: dict({}),
        other: tensor(4),
      }),
    )
    const root = object(dict({ _parameters: dict({}), _modules: dict({ 0: leaf, head: leaf }) }))
    const expected = ['0.weight', '0.mean', 'head.weight', 'head.mean']
    expect(names(root)).toEqual(expected)
    expect(names(dict({ model: root, ema: dict({ w: tensor(1) }) }))).toEqual(expected)
  })

  test('numbers and texts on the way are metadata', () => {
    const inner = dict({
      state_dict: dict({ w: tensor(1) }),
      arch: 'tiny',
      big: 2n ** 70n,
      huge: 2n ** 3000n,
    })
    const { metadata } = findStateDict(dict({ epoch: 3, best: 0.5, done: true, none: null, model: inner }))
    expect(Object.fromEntries(metadata)).toEqual({
      epoch: '3',
      best: '0.5',
      done: 'true',
      arch: 'tiny',
      big: '1180591620717411303424',
    })
  })

  test('a key overrules the choice', () => {
    const root = dict({ epoch: 1, state_dict: dict({ a: tensor(1) }), ema: dict({ b: tensor(2) }) })
    expect(names(root, 'ema')).toEqual(['b'])
    expect(() => names(root, 'none')).toThrow(/no entry "none"; got "epoch", "state_dict", "ema"/)
    expect(() => names([], 'x')).toThrow(expect.objectContaining({ code: 'bad-argument' }))
  })

  test('a container inside itself is passed over', () => {
    const root = dict({ w: tensor(1) })
    root.set('self', root)
    root.set('list', [root, tensor(2)])
    expect(names(root)).toEqual(['w', 'list.1'])
  })

  test('a small object that unfolds to a huge one without tensors is looked at once', () => {
    const root = Array.from({ length: 40 }).reduce<PyValue[]>(inner => [inner, inner], [])
    expect(names([root, tensor(1)])).toEqual(['1'])
  })

  test.each<[what: string, code: string, root: () => PyValue]>([
    ['two tensors of one name', 'malformed', () => dict({ 'a.b': tensor(1), a: dict({ b: tensor(2) }) })],
    [
      'nesting without end',
      'malformed',
      () => Array.from({ length: 5000 }).reduce<PyValue[]>(inner => [inner], []),
    ],
    [
      'a small object that unfolds to a huge one',
      'too-large',
      () => Array.from({ length: 30 }).reduce<PyValue[]>(inner => [inner, inner], [tensor(1)]),
    ],
  ])('refuses %s', (_, code, root) => {
    expect(() => names(root())).toThrow(expect.objectContaining({ name: 'EspalierError', code }))
  })
})
