import { expect, test } from 'vitest'
import { float32, int64, type Tensor, tensor } from '../tensor/tensor.ts'
import { floatAttribute, floatsAttribute, graphBuilder } from './builder.ts'
import { dump } from './dump.ts'
import { type Graph, type SparseTensor, tensorType } from './graph.ts'
import { choice, graphOf, outer } from './graphs.suite.ts'

test('a network', () => {
  const g = graphBuilder({ name: 'small net', opset: 18, opsets: { 'my.ops': 1 } })
  const x = g.input('input', 'float32', ['batch', 4])
  g.inputOf('mask', { kind: 'optional', element: tensorType('bool', ['batch']) })
  const w = g.constant(float32([0.1, -0.25, 1e-9, 3, 5, 6, 7, 8], [4, 2]), 'dense/w')
  const b = g.constant(float32([0.5, 1]), 'bias, of it')
  const y = g.node('Gemm', [x, w, b], { transB: 0, alpha: floatAttribute(0.1) }, { name: 'dense' })
  const [, index] = g.nodes('TopK', [y, g.constant(int64([1]))], {}, { outputs: ['', 'index'] })
  g.nodes('Log', [y], {}, { outputs: [], name: 'log' })
  g.output(
    g.node('Own', [index, undefined], {}, { domain: 'my.ops', outputs: ['label'] }),
    tensorType('int64'),
  )
  const graph = g.build()
  const values = new Map([['dense:0', { name: 'dense:0', type: tensorType('float32', ['batch', 2]) }]])
  expect(dump({ ...graph, values })).toMatchInlineSnapshot(`
    "graph "small net" (onnx 18, my.ops 1) {
      input input: float32 batchx4
      input mask: optional of bool batch
      constant dense/w: float32 4x2 = [0.1, -0.25, 1e-9, 3, 5, 6, 7, 8]
      constant "bias, of it": float32 2 = [0.5, 1]
      constant constant_1: int64 1 = [1]
      dense:0: float32 batchx2 = Gemm(input, dense/w, "bias, of it") {transB=0, alpha=0.1}  # dense
      _, index = TopK(dense:0, constant_1)  # topk_1
      Log(dense:0)  # log
      label = my.ops.Own(index, _)  # own_1
      output label: int64 of unknown rank
    }
    "
  `)
})

test('bodies stand below their node', () => {
  const twice = graphOf(g => g.node('If', [outer('c')], { then_branch: choice() }), 'twice')
  expect(dump(choice())).toMatchInlineSnapshot(`
    "graph graph (onnx 21) {
      input c: bool scalar
      input x: float32 2
      y = If(c)  # if
        then_branch {
          constant one: float32 1 = [1]
          add_1 = Add(x, one)
          output add_1
        }
        else_branch {
          output x
        }
      output y
    }
    "
  `)
  expect(dump(twice)).toMatchInlineSnapshot(`
    "graph twice (onnx 21) {
      if_1 = If(c)
        then_branch {
          input c: bool scalar
          input x: float32 2
          y = If(c)  # if
            then_branch {
              constant one: float32 1 = [1]
              add_1 = Add(x, one)
              output add_1
            }
            else_branch {
              output x
            }
          output y
        }
      output if_1
    }
    "
  `)
})

test('constants and attributes of every kind', () => {
  const sparse: SparseTensor = {
    dtype: 'float32',
    shape: [2, 3],
    values: float32([1, 2]),
    indices: int64([1, 5]),
  }
  const graph = graphOf(g => {
    g.constant(int64([2 ** 40, -1]), 'ints')
    g.constant(tensor('uint64', [], BigUint64Array.of(2n ** 64n - 1n)), 'exact')
    g.constant(tensor('string', [2], ['a"b', '']), 'texts')
    g.constant(tensor('int4', [3], Uint8Array.of(0x1f, 0x08)), 'packed')
    g.constant(tensor('complex64', [1], Float32Array.of(1, -2)), 'complex')
    g.constant(tensor('float32', [3], Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, 1 / 3)), 'odd')
    g.constant(float32(new Array(9).fill(0)), 'long')
    g.constant(sparse, 'sparse')
    const lists = { ints: [1, 2], strings: ['a', 'b'], floats: floatsAttribute([0.1, 2]), none: [] }
    const tensors = { type: 'tensors', value: [int64(1), float32([2])] as Tensor[] } as const
    const others = { text: 'it"s', tensor: int64([1]), sparse, tensors }
    return g.node('Op', [outer('_'), undefined], {
      ...lists,
      ...others,
      bytes: { type: 'string', value: Uint8Array.of(0xff) },
      type: { type: 'type', value: { kind: 'sequence', element: tensorType('int8') } },
      types: { type: 'types', value: [tensorType('int8', [1])] },
      big: { type: 'int', value: 2n ** 62n },
      graphs: { type: 'graphs', value: [graphOf(() => [], 'a'), graphOf(() => [], 'b')] as Graph[] },
    })
  })
  expect(dump(graph)).toMatchInlineSnapshot(`
    "graph graph (onnx 21) {
      constant ints: int64 2 = [1099511627776, -1]
      constant exact: uint64 scalar = 18446744073709551615
      constant texts: string 2 = ["a\\"b", ""]
      constant packed: int4 3 = [-1, 1, -8]
      constant complex: complex64 1 = [1, -2]
      constant odd: float32 3 = [NaN, Infinity, 0.333333]
      constant long: float32 9
      constant sparse: sparse float32 2x3 with 2 values
      op_1 = Op("_", _) {ints=[1, 2], strings=["a", "b"], floats=[0.1, 2], none=[], text="it\\"s", tensor=int64 1 = [1], sparse=sparse float32 2x3 with 2 values, tensors=[int64 scalar = 1, float32 1 = [2]], bytes=1 bytes, type=sequence of int8 of unknown rank, types=[int8 1], big=4611686018427387904}
        graphs[0] {
        }
        graphs[1] {
        }
      output op_1
    }
    "
  `)
  expect(dump(graph, { elements: 1 })).not.toContain('1099511627776')
})
