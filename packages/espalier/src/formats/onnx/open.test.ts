/** Models whose large weights stay in their files: what stays, and that it is what a reader would have loaded. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { graphOf } from '../../graph/graphs.suite.ts'
import {
  copyBytes,
  reshape,
  storedBytes,
  type Tensor,
  tensor,
  tensorBytes,
  zeros,
} from '../../tensor/tensor.ts'
import { openOnnx, readOnnx } from './read.ts'
import { writeOnnx } from './write.ts'

const size = 1 << 13
const constants: Readonly<Record<string, Tensor>> = {
  floats: tensor(
    'float32',
    [2, size / 2],
    new Float32Array(size).map((_, i) => i / 3),
  ),
  longs: tensor(
    'int64',
    [size],
    new BigInt64Array(size).map((_, i) => BigInt(i) << 32n),
  ),
  bools: tensor(
    'bool',
    [4 * size],
    new Uint8Array(4 * size).map((_, i) => i & 1),
  ),
  few: zeros('float32', [5]),
}
const staying = ['floats', 'longs']
const model = {
  ...graphOf(g => g.node('Identity', [g.input('x', 'float32', [1])], {}, { outputs: ['y'] })),
  initializers: new Map(Object.entries(constants)),
}

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-open-'))
  await writeOnnx(join(folder, 'one.onnx'), model)
  await writeOnnx(join(folder, 'two.onnx'), model, { externalData: true })
})
afterAll(() => rm(folder, { recursive: true }))

describe.each(['one.onnx', 'two.onnx'])('%s', file => {
  test('large weights are read when they are asked for, and not once the model is closed', async () => {
    const read = await readOnnx(join(folder, file))
    const { graph, close } = await openOnnx(join(folder, file))
    expect([...graph.initializers.keys()]).toEqual([...read.initializers.keys()])
    for (const [name, value] of graph.initializers as ReadonlyMap<string, Tensor>) {
      expect(storedBytes(value) !== undefined).toBe(staying.includes(name))
      expect(value.data).toEqual(constants[name]!.data)
      expect(tensorBytes(value)).toEqual(tensorBytes(constants[name]!))
      const copy = new Uint8Array(tensorBytes(value).length)
      copyBytes(reshape(value, [value.data.length]), copy)
      expect(copy).toEqual(tensorBytes(constants[name]!))
    }
    await close()
    const left = storedBytes(graph.initializers.get('floats') as Tensor)!
    expect(() => left.fill(new Uint8Array(left.byteLength))).toThrow(expect.objectContaining({ code: 'io' }))
  })
})
