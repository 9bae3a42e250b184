/** From a stage to a plan: what is a kernel's, what is the reference's, and which memory there is. */
import { expect, test } from 'vitest'
import { EspalierError } from '../../errors.ts'
import type { GraphBuilder, Handle } from '../../graph/builder.ts'
import { graphOf } from '../../graph/graphs.suite.ts'
import { operators as standard } from '../../ops/index.ts'
import type { Lower } from '../../ops/lower.ts'
import type { Op } from '../../ops/op.ts'
import { operatorsOf } from '../../ops/registry.ts'
import { dumpPlan } from '../../plan/dump.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Target } from '../../plan/target.ts'
import { float32, int64 } from '../../tensor/tensor.ts'
import { compileStage } from './compile.ts'
import { findStage } from './stage.ts'

const target: Target = {
  isa: 'avx2',
  threads: 1,
  traits: { layout: 1, lanes: 8, gemmRows: 6, gemmColumns: 16, int8Columns: 16, int8Depth: 2 },
  winograd: true,
  sparse: 'auto',
}

/** The plan of a graph of fixed shapes; `test.Own` is lowered by `lower`. */
function planOf(build: (g: GraphBuilder) => Handle | Handle[], lower?: Lower): Plan {
  const own: Op = {
    name: 'Own',
    domain: 'test',
    doc: 'For tests.',
    versions: { 1: { inputs: ['x: float32', 'w?: float32'], outputs: ['y: float32', 'z?: float32'] } },
    infer: c => [c.inputs[0], c.inputs[0]],
    evaluate: c => [c.tensor(0)],
    ...(lower && { lower }),
  }
  const operators = operatorsOf([...standard.all, own])
  const graph = graphOf(build)
  const whole = { ...graph, opsets: new Map([...graph.opsets, ['test', 1]]) }
  const types = new Map(whole.inputs.map(({ name, type }) => [name, type!]))
  const stage = findStage({ graph: whole, from: 0, types, fixed: new Map() }, operators)
  return compileStage(whole, stage, target, operators)
}

const inTest = { domain: 'test', name: 'own', outputs: ['y'] }
const w = float32([1, 2])

test('an operator that declines after it has asked for memory leaves nothing', () => {
  const plan = planOf(
    g => g.node('Own', [g.input('x', 'float32', [2]), g.constant(w, 'w')], {}, inTest),
    c => {
      c.input(1)
      c.table(new Float32Array(100))
      c.emit('copy', {
        x: c.input(0),
        y: c.output(0),
        size: 4,
        rank: 1,
        shape: [2],
        xStrides: [1],
        yStrides: [1],
      })
      return 'it would rather not'
    },
  )
  expect(plan.constants).toEqual([])
  expect(dumpPlan(plan)).toMatchInlineSnapshot(`
    "plan (avx2, 1 thread, 0 bytes of arena) {
      input x@1: float32 2
        reference y@2: float32 2 = Own(x@1: float32 2, w: constant float32 2), it would rather not  # own
      output y@2: float32 2
    }
    "
  `)
})

test('what an operator throws comes with its node', () => {
  const build = (g: GraphBuilder): Handle => g.node('Own', [g.input('x', 'float32', [2])], {}, inTest)
  expect(() =>
    planOf(build, () => {
      throw new EspalierError('bad-argument', 'no')
    }),
  ).toThrow(expect.objectContaining({ code: 'bad-argument', where: { node: 'own (test.Own)' } }))
})

test('outputs are made where they go; those that share memory, or are not made here, are copied', () => {
  const plan = planOf(g => {
    const x = g.input('x', 'float32', [2, 3])
    const sum = g.node('Add', [x, x], {}, { outputs: ['sum'] })
    const flat = g.node('Reshape', [sum, g.constant(int64([6]))], {}, { outputs: ['flat'] })
    const same = g.node('Reshape', [x, g.constant(int64([3, 2]))], {}, { outputs: ['same'] })
    return [sum, flat, same]
  })
  expect(dumpPlan(plan)).toMatchInlineSnapshot(`
    "plan (avx2, 1 thread, 0 bytes of arena) {
      input x@1: float32 2x3
        elementwise x0=x@1 y=sum@2 rank=1 shape=[6] program=[1,0,1,0,0,1,1,0,1,0,1,0,0,0]  # add_1
      * copy x=sum@2 y=flat@3 size=8 rank=1 shape=[3] xStrides=[1] yStrides=[1]  # flat
        copy x=x@1 y=same@4 size=8 rank=1 shape=[3] xStrides=[1] yStrides=[1]  # same
      output sum@2: float32 2x3
      output flat@3: float32 6
      output same@4: float32 3x2
    }
    "
  `)
})
