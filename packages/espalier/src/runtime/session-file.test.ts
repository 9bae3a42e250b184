/** Sessions of files: the same results as from the graph, whatever becomes of the file meanwhile. */
import { copyFile, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeEspalier } from '../formats/espalier/index.ts'
import { readOnnx } from '../formats/onnx/read.ts'
import { writeOnnx } from '../formats/onnx/write.ts'
import { graphOf } from '../graph/graphs.suite.ts'
import { noise } from '../tensor/noise.suite.ts'
import { float32, storedBytes, type Tensor, tensor, tensorBytes } from '../tensor/tensor.ts'
import type { BackendName } from './backends.ts'
import { nativeState } from './native/backend.ts'
import { session } from './session.ts'

/** A convolution with batch norm, and a large table that is looked up, multiplied with and given as it is. */
const model = graphOf(g => {
  const x = g.input('x', 'float32', ['batch', 32, 5, 5])
  const at = g.input('at', 'int64', [3])
  const conv = g.node('Conv', [x, g.constant(noise([40, 32, 3, 3], 1))])
  const norm = [noise([40], 2), noise([40], 3), noise([40], 4), float32(Array(40).fill(2))]
  const y = g.node('BatchNormalization', [conv, ...norm.map(value => g.constant(value))])
  const table = g.constant(noise([90, 60], 5))
  const rows = g.node('Gather', [table, at])
  g.node('Identity', [table], {}, { outputs: ['table'] })
  g.node('MatMul', [rows, g.node('Transpose', [table], { perm: [1, 0] })], {}, { outputs: ['z'] })
  return g.node('Relu', [y], {}, { outputs: ['y'] })
})
const named = { ...model, outputs: ['y', 'z', 'table'].map(name => ({ name })) }
const feeds = (batch: number) => ({
  x: noise([batch, 32, 5, 5], 6),
  at: tensor('int64', [3], BigInt64Array.of(0n, 89n, 7n)),
})

let folder = ''
const path = (name: string): string => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-session-'))
  await writeOnnx(path('one.onnx'), named)
  await writeOnnx(path('two.onnx'), named, { externalData: true })
  await writeEspalier(path('three.espalier'), named)
})
afterAll(() => rm(folder, { recursive: true }))

const backends: readonly BackendName[] = [
  ...(nativeState().ok ? (['native'] as const) : []),
  'wasm',
  'reference',
]

describe.each(backends)('%s', backend => {
  test.each(['one.onnx', 'two.onnx', 'three.espalier'])('%s gives what its graph gives', async file => {
    using opened = await session(path(file), { backend, threads: 2 })
    using known = await session(await readOnnx(path('one.onnx')), { backend, threads: 2 })
    for (const batch of [1, 3]) {
      const [found, expected] = [opened.runSync(feeds(batch)), known.runSync(feeds(batch))]
      expect(Object.keys(found)).toEqual(Object.keys(expected))
      for (const [name, value] of Object.entries(found as Record<string, Tensor>)) {
        expect(storedBytes(value)).toBeUndefined()
        expect(tensorBytes(value)).toEqual(tensorBytes(expected[name] as Tensor))
      }
    }
  })

  test('a file that is replaced stays what it was, one that is written to is refused', async () => {
    for (const [file, kind] of [
      ['one.onnx', 'onnx'],
      ['three.espalier', 'espalier'],
    ] as const) {
      const [first, other, last] = ['replaced', 'other', 'written'].map(name => path(`${name}.${kind}`))
      for (const copy of [first!, other!, last!]) await copyFile(path(file), copy)
      using replaced = await session(first!, { backend })
      using written = await session(last!, { backend })
      await rename(other!, first!)
      await utimes(last!, 1, 1)
      expect(replaced.runSync(feeds(1)).y).toBeDefined()
      expect(() => written.runSync(feeds(1))).toThrow(
        expect.objectContaining({ code: 'io', message: expect.stringMatching(/written to/) }),
      )
    }
  })
})

test('files that are no models, or broken ones, are refused with their name', async () => {
  for (const file of ['text.onnx', 'text.espalier']) await writeFile(path(file), 'no model')
  await writeOnnx(path('broken.onnx'), { ...named, outputs: [{ name: 'nothing' }] })
  for (const [file, code] of [
    ['none.onnx', 'not-found'],
    ['text.onnx', 'malformed'],
    ['text.espalier', 'too-large'],
    ['broken.onnx', 'invalid-graph'],
  ] as const)
    await expect(session(path(file))).rejects.toThrow(
      expect.objectContaining({ code, where: expect.objectContaining({ file: path(file) }) }),
    )
})
