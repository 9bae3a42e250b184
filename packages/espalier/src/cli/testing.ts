/** Running commands in tests: in this process, with streams and a clock of their own, on small models built by code. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { graphBuilder } from '../graph/builder.ts'
import { type Graph, tensorType } from '../graph/graph.ts'
import { fromNumbers } from '../tensor/elements.ts'
import { sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { main } from './main.ts'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** Standard output as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into results of every form
  readonly json: any
}

export interface RunOptions {
  /** Columns of the terminal; without it, standard output and error are no terminals. */
  readonly columns?: number
  readonly env?: Readonly<Record<string, string>>
  /** Milliseconds that pass between one look at the clock and the next; 0 when left out. */
  readonly tick?: number
}

/** Runs `espalier` with arguments. */
export async function espalier(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { columns, env = {}, tick = 0 } = options
  const written = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text
    },
    ...(columns !== undefined && { isTTY: true, columns }),
  })
  let time = 0
  const now = (): number => (time += tick)
  const code = await main(args, { stdout: stream('stdout'), stderr: stream('stderr'), env, now })
  return {
    code,
    ...written,
    get json() {
      return JSON.parse(written.stdout)
    },
  }
}

/** A folder for the files of a test file, removed at its end. Gives paths in it. */
export function temporaryFolder(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'espalier-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return name => join(folder, name)
}

/** A float32 tensor of small numbers, a few different ones; zero where `isZero` says so. */
export function weight(
  shape: readonly number[],
  isZero: (index: number) => boolean = () => false,
): Tensor<'float32'> {
  const values = Array.from({ length: sizeOf(shape) }, (_, i) => (isZero(i) ? 0 : ((i % 7) + 1) / 8))
  return fromNumbers('float32', shape, values)
}

/** A classifier of pictures [batch, 3, 4, 4] into 10 classes: two convolutions, the second one half zeros in the pattern 2:4. */
export function classifier(): Graph {
  const g = graphBuilder({ name: 'classifier' })
  const image = g.input('image', 'float32', ['batch', 3, 4, 4])
  const w1 = g.constant(weight([8, 3, 3, 3]), 'conv1.weight')
  const w2 = g.constant(
    weight([4, 8, 1, 1], i => i % 4 < 2),
    'conv2.weight',
  )
  const w3 = g.constant(weight([10, 4]), 'head.weight')
  let x = g.node('Conv', [image, w1], { pads: [1, 1, 1, 1] }, { name: 'conv1', outputs: ['features'] })
  x = g.node('Relu', [x])
  x = g.node('Conv', [x, w2], {}, { name: 'conv2' })
  x = g.node('GlobalAveragePool', [x])
  x = g.node('Flatten', [x], {}, { outputs: ['pooled'] })
  x = g.node('Gemm', [x, w3], { transB: 1 }, { name: 'head', outputs: ['logits'] })
  g.output(x, tensorType('float32', ['batch', 10]))
  return g.build()
}

/** y = x * [1, 2, 3] + 1, for x of shape [n, 3] in any type. */
export function affine(dtype: 'float32' | 'int64' = 'float32'): Graph {
  const g = graphBuilder({ name: 'affine' })
  const x = g.input('x', dtype, ['n', 3])
  const scaled = g.node(
    'Mul',
    [x, g.constant(fromNumbers(dtype, [3], [1, 2, 3]), 'scale')],
    {},
    { outputs: ['scaled'] },
  )
  g.output(
    g.node('Add', [scaled, g.constant(fromNumbers(dtype, [1], [1]), 'shift')], {}, { outputs: ['y'] }),
    tensorType(dtype, ['n', 3]),
  )
  return g.build()
}
