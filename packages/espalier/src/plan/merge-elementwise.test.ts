import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codeOf, instructionNames } from './elementwise/instructions.ts'
import {
  type Computation,
  decodeComputation,
  type Expression,
  encodeComputation,
  type InputLeaf,
} from './elementwise/program.ts'
import { canShareMemory, mergeElementwise } from './merge-elementwise.ts'
import { type Buffer, type HostStep, makeStep, type Step } from './step.ts'

const arena = (name: string, count: number): Buffer => ({ name, bytes: count * 4, space: 'arena' })

function contiguous(buffer: Buffer, shape: readonly number[]): InputLeaf {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1))
  return { kind: 'input', operand: { buffer, offset: 0 }, storage: 'float32', strides }
}

function repeated(buffer: Buffer, strides: readonly number[]): InputLeaf {
  return { kind: 'input', operand: { buffer, offset: 0 }, storage: 'float32', strides }
}

function op(name: string, ...args: readonly Expression[]): Expression {
  return { kind: 'instruction', name: `${name}_f32`, arguments: args }
}

function stepOf(
  y: Buffer,
  shape: readonly number[],
  root: Expression,
  storage: 'float32' | 'float16' = 'float32',
): Step {
  const values = encodeComputation({ shape, root, y: { buffer: y, offset: 0 }, storage })
  if (typeof values === 'string') throw new Error(values)
  return makeStep('elementwise', values, [y.name])
}

const nothing = (): boolean => false

/** Runs steps over a memory of buffers, with the four instructions that the tests use. */
function run(steps: readonly (Step | HostStep)[], memory: Map<Buffer, number[]>): void {
  for (const step of steps) {
    if (step.kind === 'host') throw new Error('no host steps here')
    const { shape, root, y } = decodeComputation(step)
    memory.set(y.buffer, valuesOf(shape, root, memory))
  }
}

function valuesOf(shape: readonly number[], e: Expression, memory: Map<Buffer, number[]>): number[] {
  const count = shape.reduce((a, b) => a * b, 1)
  if (e.kind === 'constant') {
    const value = new Float32Array(Int32Array.of(Number(e.bits)).buffer)[0]!
    return new Array<number>(count).fill(value)
  }
  if (e.kind === 'input')
    return Array.from({ length: count }, (_, index) => {
      let [rest, at] = [index, 0]
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        at += (rest % shape[axis]!) * e.strides[axis]!
        rest = Math.floor(rest / shape[axis]!)
      }
      return memory.get(e.operand.buffer)![at]!
    })
  const [a, b] = e.arguments.map(argument => valuesOf(shape, argument, memory)) as [number[], number[]]
  const f: Record<string, (x: number, y: number) => number> = {
    add_f32: (x, y) => x + y,
    mul_f32: (x, y) => x * y,
    neg_f32: x => -x,
    max_f32: Math.max,
  }
  return a.map((value, i) => f[e.name]!(value, b?.[i] ?? 0))
}

describe('mergeElementwise', () => {
  const shape = [2, 3, 4]
  const [x, bias, t, u, y] = [
    arena('x', 24),
    arena('bias', 4),
    arena('t', 24),
    arena('u', 24),
    arena('y', 24),
  ]

  test('a chain is one step that reads each tensor once', () => {
    const steps = [
      stepOf(t, shape, op('add', contiguous(x, shape), repeated(bias, [0, 0, 1]))),
      stepOf(u, [6, 4], op('erf', contiguous(t, [6, 4]))),
      stepOf(y, [24], op('mul', contiguous(u, [24]), contiguous(x, [24]))),
    ]
    const merged = mergeElementwise(steps, nothing)
    expect(merged).toHaveLength(1)
    const step = merged[0] as Step
    expect(step.origin).toEqual(['t', 'u', 'y'])
    expect(step.values).toMatchObject({
      rank: 2,
      shape: [6, 4],
      x0: { buffer: x },
      x1: { buffer: bias },
      x2: undefined,
    })
    expect(step.values.program).toEqual([
      ...[2, 0, 1, 0, 0, 2, 3], // one register besides the inputs
      ...[0, 4, 1, 0, 0, 1], // x, then bias: type and strides
      ...[codeOf('add_f32'), 2, 0, 1, 0],
      ...[codeOf('erf_f32'), 2, 2, 0, 0],
      ...[codeOf('mul_f32'), 2, 2, 0, 0],
    ])
  })

  test('a value that two parts of a chain need is computed once', () => {
    const steps = [
      stepOf(t, shape, op('neg', contiguous(x, shape))),
      stepOf(u, shape, op('exp', contiguous(t, shape))),
      stepOf(y, shape, op('mul', contiguous(u, shape), contiguous(t, shape))),
    ]
    const merged = mergeElementwise(steps, nothing)
    expect(merged).toHaveLength(1)
    expect((merged[0] as Step).values.program).toHaveLength(7 + 2 + 3 * 5)
  })

  test.each<[string, (step: Step, reader: Step) => readonly Step[], (buffer: Buffer) => boolean]>([
    ['an output', (step, reader) => [step, reader], buffer => buffer === t],
    [
      'read by another step',
      (step, reader) => [step, stepOf(u, shape, op('neg', contiguous(t, shape))), reader],
      nothing,
    ],
    [
      'broadcast in the reader',
      step => [step, stepOf(y, [2, ...shape], op('neg', repeated(t, [0, 12, 4, 1])))],
      nothing,
    ],
    ['read in another order', step => [step, stepOf(y, shape, op('neg', repeated(t, [1, 2, 6])))], nothing],
    [
      'overwritten sources',
      (step, reader) => [step, stepOf(x, shape, op('neg', contiguous(y, shape))), reader],
      nothing,
    ],
  ])('apart: %s', (_, steps, isOutput) => {
    const list = steps(
      stepOf(t, shape, op('neg', contiguous(x, shape))),
      stepOf(y, shape, op('exp', contiguous(t, shape))),
    )
    expect(mergeElementwise(list, isOutput)).toEqual(list)
  })

  test('apart: a float16, which is rounded in memory', () => {
    const half: InputLeaf = { ...contiguous(t, shape), storage: 'float16' }
    const list = [
      stepOf(t, shape, op('neg', contiguous(x, shape)), 'float16'),
      stepOf(y, shape, op('exp', half)),
    ]
    expect(mergeElementwise(list, nothing)).toEqual(list)
  })

  test('apart: more inputs than the kernel has', () => {
    const many = Array.from({ length: 9 }, (_, i) => arena(`x${i}`, 24))
    const sum = (list: readonly Buffer[]): Expression =>
      list.map((b): Expression => contiguous(b, shape)).reduce((a, b) => op('add', a, b))
    const list = [stepOf(t, shape, sum(many.slice(0, 5))), stepOf(y, shape, sum([t, ...many.slice(5)]))]
    expect(mergeElementwise(list, nothing)).toEqual(list)
  })

  test('merging changes no result', () => {
    // Random trees over four tensors that are broadcast in different ways, cut into steps at random.
    const extents = [3, 2, 4]
    const sources = [arena('a', 24), arena('b', 4), arena('c', 3), arena('d', 1)]
    const strides = [
      [8, 4, 1],
      [0, 0, 1],
      [1, 0, 0],
      [0, 0, 0],
    ]
    const node = fc.tuple(fc.constantFrom('add', 'mul', 'max', 'neg'), fc.nat(100), fc.nat(100))
    fc.assert(
      fc.property(
        fc.array(node, { minLength: 1, maxLength: 12 }),
        fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 24, maxLength: 24 }),
        (nodes, numbers) => {
          const values: InputLeaf[] = sources.map((buffer, i) => repeated(buffer, strides[i]!))
          const steps = nodes.map(([name, i, j], index) => {
            const buffer = arena(`t${index}`, 24)
            const picked = [values[i % values.length]!, values[j % values.length]!]
            const step = stepOf(buffer, extents, op(name, ...picked.slice(0, name === 'neg' ? 1 : 2)))
            values.push(contiguous(buffer, extents))
            return step
          })
          const last = values.at(-1)!.operand.buffer
          const memory = (): Map<Buffer, number[]> =>
            new Map(sources.map((buffer, i) => [buffer, numbers.slice(i)]))
          const [plain, merged] = [memory(), memory()]
          run(steps, plain)
          run(
            mergeElementwise(steps, buffer => buffer === last),
            merged,
          )
          expect(merged.get(last)).toEqual(plain.get(last))
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('canShareMemory', () => {
  const [a, b, y] = [arena('a', 24), arena('b', 4), arena('y', 24)]

  test('with an input that has an element for each of the output', () => {
    const step = stepOf(y, [6, 4], op('add', contiguous(a, [6, 4]), repeated(b, [0, 1])))
    expect([a, b, y].map(buffer => canShareMemory(step, buffer))).toEqual([true, false, false])
  })

  test('not where the input is read in another order too, or has elements of another size', () => {
    const turned = stepOf(y, [4, 6], op('add', contiguous(a, [4, 6]), repeated(a, [1, 4])))
    expect(canShareMemory(turned, a)).toBe(false)
    expect(canShareMemory(stepOf(y, [24], op('neg', contiguous(a, [24])), 'float16'), a)).toBe(false)
  })
})

test('encoding gives back what was encoded', () => {
  const [a, y] = [arena('a', 24), arena('y', 24)]
  const two: Expression = { kind: 'constant', type: 'i32', bits: 0x40000000n }
  const computation: Computation = {
    shape: [24],
    root: op('add', op('mul', contiguous(a, [24]), two), op('neg', contiguous(a, [24]))),
    y: { buffer: y, offset: 0 },
    storage: 'float32',
  }
  const step = makeStep('elementwise', encodeComputation(computation) as never, [])
  expect(decodeComputation(step)).toEqual(computation)
})

test('the instructions are those of the kernel, in its order', async () => {
  const fs = (
    globalThis as { process?: { getBuiltinModule?(name: string): typeof import('node:fs') } }
  ).process?.getBuiltinModule?.('node:fs')
  const source = fs!.readFileSync(new URL('../../../../kernels/elementwise.hpp', import.meta.url), 'utf8')
  const names = /enum Instruction : int32_t \{([^}]*)\}/.exec(source)![1]!
  expect(
    names
      .split(',')
      .map(name => name.trim())
      .filter(Boolean),
  ).toEqual(instructionNames)
})
