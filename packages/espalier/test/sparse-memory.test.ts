/**
 * Memory of a compressed model while it runs: its weights without their zeros, and the arena of activations. By what the
 * session says, and by what the process holds.
 */
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { weightViews } from '../src/analysis/weight-views.ts'
import { compress } from '../src/compress/compress.ts'
import { openEspalier, readEspalier, writeEspalier } from '../src/formats/espalier/index.ts'
import { encoder } from '../src/models/encoder.ts'
import { nativeState } from '../src/runtime/native/backend.ts'
import { type SessionOptions, session } from '../src/runtime/session.ts'
import { fromNumbers } from '../src/tensor/elements.ts'
import { sizeOf } from '../src/tensor/shape.ts'

const rows = { layers: 3, width: 256, tokens: 32, words: 300 }
const feeds = { tokens: fromNumbers('int64', [1, rows.tokens], new Array(rows.tokens).fill(7)) }
/** What may come on top in the process. */
const SLACK = 1.05
/** And what fills up groups of numbers in the layouts, which in weights as small as these is more than in large ones. */
const FILLING = 1.15

let folder = ''
const path = (name: string): string => join(folder, name)
/** Bytes of the constants of `sparse.espalier` as kernels want them: 2 bytes for where a number of a weight with zeros lies. */
let compressedBytes = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-memory-'))
  const { graph } = await compress(encoder(rows), { sparsity: 0.9 })
  await writeEspalier(path('sparse.espalier'), graph, { views: weightViews(graph) })
  await using file = await openEspalier(path('sparse.espalier'))
  for (const { codec, stored } of file.tensors.values()) compressedBytes += stored * (codec === 'raw' ? 4 : 6)
  for (const { shape } of file.graph.initializers.values()) compressedBytes += 4 * sizeOf(shape)
})
afterAll(() => rm(folder, { recursive: true }))

const backends = [...(nativeState().ok ? (['native'] as const) : []), 'wasm'] as const
const opened = (options: SessionOptions) =>
  session(path('sparse.espalier'), { threads: 1, ...options, onWarning: () => {} })

describe.each(backends)('%s', backend => {
  test('a session holds the compressed weights and its arena', async () => {
    using sparse = await opened({ backend })
    using dense = await opened({ backend, sparse: 'never' })
    expect(sparse.memory()).toEqual({ constants: 0, activations: 0 })
    for (const own of [sparse, dense]) own.runSync(feeds)
    const { constants, activations } = sparse.memory()
    const [, arena] = /(\d+) bytes of arena/.exec(sparse.dump(feeds))!
    expect(activations).toBe(Number(arena))
    expect(constants).toBeLessThan(FILLING * compressedBytes)
    expect(constants).toBeLessThan(0.3 * dense.memory().constants)
    // The same constants for another shape, but for what few rows want in another layout.
    sparse.runSync({ tokens: fromNumbers('int64', [2, rows.tokens], new Array(2 * rows.tokens).fill(7)) })
    expect(sparse.memory().constants).toBeLessThan(SLACK * constants)
    expect(sparse.memory().activations).toBeGreaterThan(activations)
  })
})

test.skipIf(!nativeState().ok)('the process holds no more than that', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const held = async (): Promise<number> => {
    // What weak references gave lasts until the end of a turn, and finalisers run in another.
    for (let turn = 0; turn < 3; turn++) {
      await new Promise(resolve => setTimeout(resolve, 0))
      collect()
    }
    return process.memoryUsage().external
  }
  using first = await opened({ backend: 'native' })
  first.runSync(feeds)
  const before = await held()
  using own = await opened({ backend: 'native' })
  own.runSync(feeds)
  const { constants, activations } = own.memory()
  expect((await held()) - before).toBeLessThan(SLACK * (constants + activations))
})

test('a weight that is damaged is refused by its name when it is read', async () => {
  await using whole = await openEspalier(path('sparse.espalier'))
  const [name, record] = [...whole.tensors].find(([, { codec }]) => codec !== 'raw')!
  const file = await open(path('sparse.espalier'), 'r+')
  try {
    const length = Number((await file.read(Buffer.alloc(8), 0, 8, 0)).buffer.readBigUInt64LE())
    const header = JSON.parse((await file.read(Buffer.alloc(length), 0, length, 8)).buffer.toString())
    const at = 8 + length + header[record.parts.values].data_offsets[0]
    const byte = (await file.read(Buffer.alloc(1), 0, 1, at)).buffer
    await file.write(Buffer.of(byte[0]! ^ 1), 0, 1, at)
  } finally {
    await file.close()
  }
  const refused = expect.objectContaining({
    code: 'malformed',
    where: expect.objectContaining({ tensor: name, file: path('sparse.espalier') }),
  })
  await expect(readEspalier(path('sparse.espalier'))).rejects.toThrow(refused)
  for (const backend of backends) {
    using damaged = await opened({ backend })
    expect(() => damaged.runSync(feeds)).toThrow(refused)
    await expect(damaged.run(feeds)).rejects.toThrow(refused)
  }
})
