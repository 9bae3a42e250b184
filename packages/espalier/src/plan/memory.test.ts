import fc from 'fast-check'
import { expect, test } from 'vitest'
import { placeBarriers } from './barriers.ts'
import { encode } from './encode.ts'
import { alignment, placeBuffers } from './memory.ts'
import { type Buffer, fieldsOf, makeStep, type Operand, type Step, touched, wordsOf } from './step.ts'

const buffer = (name: string, bytes: number, space: Buffer['space'] = 'arena'): Buffer => ({
  name,
  bytes,
  space,
})
const at = (of: Buffer, offset = 0): Operand => ({ buffer: of, offset })
const copy = (x: Operand, y: Operand): Step =>
  makeStep('copy', { x, y, size: 4, rank: 1, shape: [1], xStrides: [1], yStrides: [1] }, ['node'])

/** Chains and forks: step i copies some earlier buffer to a new one. */
const programs = fc
  .array(fc.record({ from: fc.nat(), bytes: fc.integer({ min: 0, max: 5000 }) }), {
    minLength: 1,
    maxLength: 60,
  })
  .map(list => {
    const buffers = [buffer('x', 64, 'input')]
    return list.map(({ from, bytes }, index) => {
      const source = buffers[from % buffers.length]!
      buffers.push(buffer(`b${index}`, bytes))
      return copy(at(source), at(buffers.at(-1)!))
    })
  })

test('buffers that live at the same time do not overlap', () => {
  fc.assert(
    fc.property(programs, steps => {
      const { bytes, offsets } = placeBuffers(steps)
      const lives = new Map<Buffer, [number, number]>()
      steps.forEach((step, index) => {
        for (const { buffer } of touched(step))
          if (buffer.space === 'arena') lives.set(buffer, [lives.get(buffer)?.[0] ?? index, index])
      })
      for (const [a, [aFirst, aLast]] of lives) {
        const start = offsets.get(a)!
        expect(start % alignment).toBe(0)
        expect(start + a.bytes).toBeLessThanOrEqual(bytes)
        for (const [b, [bFirst, bLast]] of lives) {
          if (a === b || aLast < bFirst || bLast < aFirst) continue
          const other = offsets.get(b)!
          expect(start + a.bytes <= other || other + b.bytes <= start).toBe(true)
        }
      }
    }),
  )
})

test('memory is used again: a chain needs two buffers', () => {
  const chain = Array.from({ length: 10 }, (_, i) => buffer(`b${i}`, 1000))
  const steps = chain.slice(1).map((to, i) => copy(at(chain[i]!), at(to)))
  expect(placeBuffers(steps).bytes).toBe(2 * 1024)
})

test('threads meet before a step that touches what was written, or writes what was read', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name, index) => ({ buffer: buffer(name, 64), index }))
  const places = new Map([a, b, c, d].map(entry => [entry!.buffer, { space: 0, offset: 64 * entry!.index }]))
  const placeOf = (of: Buffer): { space: number; offset: number } => places.get(of)!
  const step = (x: typeof a, y: typeof a): Step => copy(at(x!.buffer), at(y!.buffer))
  expect(placeBarriers([step(a, b), step(a, c), step(b, d), step(d, a)], placeOf)).toEqual([
    false, // nothing before
    false, // both read a
    true, // b was written
    true, // d was written
  ])
  expect(placeBarriers([step(a, b), step(c, a)], placeOf)).toEqual([false, true])
  expect(placeBarriers([step(a, b), step(a, b)], placeOf)).toEqual([false, true])
  places.set(d!.buffer, { space: 1, offset: 64 }) // as b, in another block
  expect(placeBarriers([step(a, b), step(d, c)], placeOf)).toEqual([false, false])
})

test('a step is its opcode, its length, its flags and its fields', () => {
  const [x, y] = [buffer('x', 640, 'input'), buffer('y', 640)]
  const step = copy(at(x, 130), at(y, 4))
  const places = new Map([
    [x, { space: 3, offset: 0 }],
    [y, { space: 0, offset: 64 }],
  ])
  const code = encode([step, step], [false, true], of => places.get(of)!)
  expect(code.length).toBe(2 * wordsOf(step))
  const words = [...code.slice(0, wordsOf(step))]
  expect(words.slice(1, 9)).toEqual([wordsOf(step), 0, 3 | (2 << 24), 2, 4 << 24, 1, 4, 1])
  expect(code[wordsOf(step) + 2]).toBe(1)
  expect(fieldsOf('copy').map(([name]) => name)).toEqual([
    'x',
    'y',
    'size',
    'rank',
    'shape',
    'xStrides',
    'yStrides',
  ])
})

test('numbers beyond 32 bits are refused', () => {
  const x = at(buffer('x', 4))
  const step = makeStep(
    'copy',
    { x, y: x, size: 4, rank: 1, shape: [2 ** 31], xStrides: [1], yStrides: [1] },
    ['big'],
  )
  expect(() => encode([step], [false], () => ({ space: 0, offset: 0 }))).toThrow(
    expect.objectContaining({ code: 'too-large', where: { node: 'big' } }),
  )
})
