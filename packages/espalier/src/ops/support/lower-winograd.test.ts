/** Convolutions by Winograd's method in sessions: where it is chosen, that it is right, and how to do without it. */
import { describe, expect, test } from 'vitest'
import type { PlainAttribute } from '../../graph/builder.ts'
import type { Graph } from '../../graph/graph.ts'
import { graphOf } from '../../graph/graphs.suite.ts'
import { nativeState } from '../../runtime/native/backend.ts'
import { type SessionOptions, session } from '../../runtime/session.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'

const noise = (shape: readonly number[], seed: number): Tensor<'float32'> =>
  tensor(
    'float32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(seed + i * 1.7 + i * i)),
  )

interface Case {
  /** [batch, channels, ...spatial] */
  readonly x: readonly number[]
  /** [outputs, channels, ...kernel] */
  readonly w: readonly number[]
  readonly attributes?: Readonly<Record<string, PlainAttribute>>
  readonly constant?: boolean
}

const same = { pads: [1, 1, 1, 1] }

/** max(x convolved by w + bias + x, 0) where the shapes let x be added. */
function block({ x, w, attributes = same, constant = true }: Case): Graph {
  return graphOf(g => {
    const input = g.input('x', 'float32', x)
    const weight = constant ? g.constant(noise(w, 2)) : g.input('w', 'float32', w)
    const y = g.node('Conv', [input, weight, g.constant(noise([w[0]!], 3))], attributes)
    const residual = x[1] === w[0] && attributes === same
    return g.node('Relu', [residual ? g.node('Add', [y, input]) : y], {}, { outputs: ['y'] })
  })
}

async function run(one: Case, options: SessionOptions): Promise<{ y: Float32Array; steps: string }> {
  using s = await session(block(one), options)
  const feeds = { x: noise(one.x, 1), ...(one.constant === false && { w: noise(one.w, 2) }) }
  const y = (s.runSync(feeds).y as Tensor).data as Float32Array
  return { y, steps: options.backend === 'reference' ? '' : s.dump(feeds) }
}

const taken: readonly Case[] = [
  { x: [2, 16, 17, 30], w: [16, 16, 3, 3] },
  { x: [1, 64, 12, 12], w: [64, 64, 3, 3] },
  { x: [3, 13, 20, 16], w: [37, 13, 3, 3], attributes: { pads: [0, 2, 1, 0] } },
]
const left: readonly Case[] = [
  { x: [1, 16, 4, 4], w: [16, 16, 3, 3] },
  { x: [2, 3, 17, 30], w: [8, 3, 3, 3] },
  { x: [2, 16, 17, 30], w: [16, 16, 3, 3], constant: false },
  { x: [2, 16, 17, 30], w: [16, 16, 3, 3], attributes: { strides: [2, 1] } },
  { x: [2, 16, 17, 30], w: [16, 16, 3, 3], attributes: { dilations: [1, 2] } },
  { x: [2, 16, 17, 30], w: [16, 8, 3, 3], attributes: { group: 2 } },
  { x: [2, 16, 17, 30], w: [16, 16, 3, 1], attributes: { pads: [1, 0, 1, 0] } },
  { x: [2, 16, 99], w: [16, 16, 3], attributes: {} },
  { x: [1, 16, 3, 17, 30], w: [16, 16, 3, 3, 3], attributes: {} },
]

const backends = ['native', 'wasm'] as const
describe.each(backends)('%s', backend => {
  const works = backend === 'wasm' || nativeState().ok

  test.skipIf(!works).each(taken.map(one => [JSON.stringify(one), one] as const))('%s', async (_, one) => {
    const [exact, plain, found] = [
      await run(one, { backend: 'reference' }),
      await run(one, { backend, winograd: false }),
      await run(one, { backend, threads: 1 }),
    ]
    expect(plain.steps).not.toContain('winograd_f32')
    expect(found.steps).toContain('winograd_f32')
    const scale = Math.max(...exact.y)
    for (const [i, value] of found.y.entries())
      expect(Math.abs(value - exact.y[i]!)).toBeLessThanOrEqual(4e-6 * scale)
    for (const threads of [2, 3]) expect((await run(one, { backend, threads })).y).toEqual(found.y)
  })

  test.skipIf(!works).each(left.map(one => [JSON.stringify(one), one] as const))(
    'not for %s',
    async (_, one) => {
      expect((await run(one, { backend, threads: 1 })).steps).not.toContain('winograd_f32')
    },
  )
})
