import { expect, test } from 'vitest'
import { graphBuilder } from '../graph/builder.ts'
import { float32 } from '../tensor/tensor.ts'
import { dumpPlan } from './dump.ts'
import { assemble } from './plan.ts'
import { type Buffer, type HostStep, makeStep } from './step.ts'

const at = (buffer: Buffer, offset = 0) => ({ buffer, offset })
const buffer = (name: string, bytes: number, space: Buffer['space'] = 'arena'): Buffer => ({
  name,
  bytes,
  space,
})

test('a plan with every kind of constant, a barrier and a step without a kernel', () => {
  const [x, w, y] = [buffer('x', 24, 'input'), buffer('w', 24, 'constant'), buffer('y', 24, 'output')]
  const [packed, table] = [buffer('w in panels', 96, 'constant'), buffer('table', 16, 'constant')]
  const [a, b] = [buffer('a', 24), buffer('b of node 1', 24)]
  const source = float32([1, 2, 3, 4, 5, 6], [2, 3])
  const copy = (from: Buffer, to: Buffer, offset: number, origin: string[]) =>
    makeStep(
      'copy',
      { x: at(from, offset), y: at(to), size: 4, rank: 1, shape: [3], xStrides: [1], yStrides: [-1] },
      origin,
    )
  const pack = makeStep(
    'pack_gemm_f32',
    { x: at(w), y: at(packed), matrices: 1, k: 2, n: 3, matrixStride: 0, rowStride: 3, columnStride: 1 },
    [],
  )
  const g = graphBuilder()
  g.output(g.node('Erf', [g.input('b', 'float32', [2, 3]), g.input('c', 'float32', [2])]))
  const erf: HostStep = {
    kind: 'host',
    graph: g.build(),
    inputs: [
      { name: 'b', source: { name: 'b', dtype: 'float32', shape: [2, 3], operand: at(b) } },
      { name: 'c', source: float32([1, 2]) },
    ],
    outputs: [{ name: 'y', dtype: 'float32', shape: [2, 3], operand: at(y) }],
    origin: ['erf'],
    reason: 'no kernel for such numbers',
  }
  const plan = assemble({
    target: {
      isa: 'avx2',
      threads: 2,
      traits: { layout: 1, lanes: 8, gemmRows: 6, gemmColumns: 16, int8Columns: 16, int8Depth: 2 },
      winograd: true,
      sparse: 'auto',
    },
    inputs: [{ name: 'x', dtype: 'float32', shape: [2, 3], buffer: x }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [2, 3], buffer: y }],
    constants: [
      { kind: 'raw', buffer: w, source },
      { kind: 'packed', buffer: packed, layout: 'panels', source, from: w, pack },
      { kind: 'table', buffer: table, data: new Uint8Array(16) },
    ],
    steps: [copy(x, a, 12, ['n1', 'n2']), copy(w, b, 0, []), copy(a, b, 0, ['n3']), erf],
  })
  expect(dumpPlan(plan)).toMatchInlineSnapshot(`
    "plan (avx2, 2 threads, 128 bytes of arena) {
      input x@4: float32 2x3
      constant w@1: 24 bytes, float32 2x3
      constant "w in panels"@2: 96 bytes, pack_gemm_f32 of float32 2x3
      constant table@3: 16 bytes, table
        copy x=x@4+12 y=a@0 size=4 rank=1 shape=[3] xStrides=[1] yStrides=[-1]  # n1, n2
        copy x=w@1 y="b of node 1"@0+64 size=4 rank=1 shape=[3] xStrides=[1] yStrides=[-1]
      * copy x=a@0 y="b of node 1"@0+64 size=4 rank=1 shape=[3] xStrides=[1] yStrides=[-1]  # n3
        reference y@5: float32 2x3 = Erf(b = "b of node 1"@0+64: float32 2x3, c: constant float32 2), no kernel for such numbers  # erf
      output y@5: float32 2x3
    }
    "
  `)
})
