/** Weights in files beside the model: places, names that lead out, links, sharing, and both files or none. */
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile as writeBytes,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { graphBuilder } from '../../graph/builder.ts'
import type { Graph } from '../../graph/graph.ts'
import { float32, type Tensor, tensorBytes, zeros } from '../../tensor/tensor.ts'
import { delimited, modelBytes, plain, text } from './messages.suite.ts'
import type { StringEntry, TensorProto } from './proto.ts'
import { parseOnnx, readOnnx } from './read.ts'
import { splitWeights, writeOnnx } from './write.ts'

let root = ''
let folder = ''
let model = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'espalier-external-'))
})
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'case-'))
  model = join(folder, 'model.onnx')
})
afterAll(() => rm(root, { recursive: true }))

const failure = (code: string, message: RegExp) =>
  expect.objectContaining({ name: 'EspalierError', code, message: expect.stringMatching(message) })
const numbers = Float32Array.from({ length: 64 }, (_, i) => i)
const file = new Uint8Array(numbers.buffer)

function tensorAt(name: string, entries: Record<string, string>, more: TensorProto = {}): TensorProto {
  const externalData: StringEntry[] = Object.entries(entries).map(([key, value]) => ({ key, value }))
  return { name, dataType: 1, dims: [2], dataLocation: 1, externalData, ...more }
}
const bytesWith = (...initializers: TensorProto[]): Uint8Array => modelBytes({ initializers })
const dataOf = (graph: Graph, name = 'w'): number[] => [
  ...((graph.initializers.get(name) as Tensor).data as Float32Array),
]

/** Reads a model with these initialisers from disk, and the same from memory where it can be given. */
async function read(...initializers: TensorProto[]): Promise<Graph> {
  await writeBytes(model, bytesWith(...initializers))
  return readOnnx(model)
}

describe('places', () => {
  test.each<[string, Record<string, string>, number[]]>([
    ['offset and length', { location: 'w.bin', offset: '8', length: '8' }, [2, 3]],
    ['no offset', { location: 'w.bin', length: '8' }, [0, 1]],
    ['no length', { location: 'w.bin', offset: '248' }, [62, 63]],
    ['a folder below', { location: 'below/w.bin', offset: '4' }, [1, 2]],
    ['a dot', { location: './w.bin', checksum: 'ff' }, [0, 1]],
  ])('%s', async (_, entries, wanted) => {
    await mkdir(join(folder, 'below'))
    await writeBytes(join(folder, 'w.bin'), file)
    await writeBytes(join(folder, 'below/w.bin'), file)
    expect(dataOf(await read(tensorAt('w', entries)))).toEqual(wanted)
    const externalData = new Map([[entries.location!, file]])
    expect(dataOf(await readOnnx(model, { externalData }))).toEqual(wanted)
    const parsed = parseOnnx(await readFile(model), { externalData })
    expect(dataOf(parsed)).toEqual(wanted)
    expect(tensorBytes(parsed.initializers.get('w') as Tensor).buffer).toBe(file.buffer)
  })

  test('several files, and constants inside nodes and bodies', async () => {
    await writeBytes(join(folder, 'a'), file)
    await writeBytes(join(folder, 'b'), file.subarray(4))
    const constant = {
      op: 'Constant',
      outputs: ['c'],
      attributes: [{ name: 'value', type: 4, t: tensorAt('', { location: 'b' }) }],
    }
    const body = {
      name: 'body',
      type: 5,
      g: { initializers: [tensorAt('v', { location: 'b', offset: '4' })] },
    }
    const graph = {
      initializers: [tensorAt('w', { location: 'a' })],
      nodes: [constant, { op: 'Loop', attributes: [body] }],
    }
    await writeBytes(model, modelBytes(graph))
    const { initializers, nodes } = await readOnnx(model)
    const found = [
      initializers.get('w'),
      nodes[0]!.attributes.get('value')!.value,
      (nodes[1]!.attributes.get('body')!.value as Graph).initializers.get('v'),
    ]
    expect(found.map(tensor => [...((tensor as Tensor).data as Float32Array)])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ])
  })

  test('a tensor in two parts of the file', async () => {
    await writeBytes(join(folder, 'w.bin'), file)
    const head = [...delimited(8, text('w')), 16, 1, 8, 2, 112, 1]
    const place = delimited(13, [...delimited(1, text('location')), ...delimited(2, text('w.bin'))])
    const attribute = [...delimited(1, [97]), ...delimited(5, head), ...delimited(5, place)]
    await writeBytes(
      model,
      Uint8Array.from([
        8,
        8,
        ...delimited(7, delimited(1, [...delimited(4, [67]), ...delimited(5, attribute)])),
      ]),
    )
    const value = (await readOnnx(model)).nodes[0]!.attributes.get('a')!.value as Tensor
    expect([...(value.data as Float32Array)]).toEqual([0, 1])
  })

  test('ranges that overlap share the file, read once', async () => {
    await writeBytes(join(folder, 'w.bin'), file)
    const windows = Array.from({ length: 33 }, (_, i) =>
      tensorAt(`w${i}`, { location: 'w.bin', offset: `${4 * i}` }, { dims: [32] }),
    )
    const { initializers } = await read(...windows)
    const buffers = [...initializers.values()].map(tensor => tensorBytes(tensor as Tensor).buffer)
    expect(new Set(buffers).size).toBe(1)
    expect((initializers.get('w7') as Tensor).data).toEqual(numbers.subarray(7, 39))
  })

  test('elements below a byte', async () => {
    await writeBytes(join(folder, 'w.bin'), file)
    const { initializers } = await read(
      tensorAt('w', { location: 'w.bin', offset: '2', length: '3' }, { dataType: 22, dims: [5] }),
    )
    expect([...(initializers.get('w') as Tensor).data]).toEqual([...file.subarray(2, 5)])
  })
})

describe('refused', () => {
  const places: [string, Record<string, string>, string, RegExp][] = [
    ['no location', { offset: '0' }, 'malformed', /without a location/],
    ['an empty location', { location: '' }, 'malformed', /without a location/],
    ['another length', { location: 'w.bin', length: '4' }, 'malformed', /expected 8 bytes, got 4/],
    ['a length that is none', { location: 'w.bin', length: '-8' }, 'malformed', /bad length; got "-8"/],
    ['an offset that is none', { location: 'w.bin', offset: '1e3' }, 'malformed', /bad offset/],
    ['an offset that is too long', { location: 'w.bin', offset: '9'.repeat(16) }, 'malformed', /bad offset/],
    ['an offset beyond the file', { location: 'w.bin', offset: '252' }, 'truncated', /w.bin at byte 252/],
    [
      'an offset far beyond the file',
      { location: 'w.bin', offset: '9'.repeat(15) },
      'truncated',
      /the end comes first/,
    ],
    ['a path above', { location: '../w.bin' }, 'unsafe', /outside the folder of the model/],
    ['a path above, inside', { location: 'below/../../w.bin' }, 'unsafe', /outside the folder/],
    ['a path above, as Windows has it', { location: 'below\\..\\..\\w.bin' }, 'unsafe', /outside the folder/],
    ['an absolute path', { location: '/etc/passwd' }, 'unsafe', /got "\/etc\/passwd"/],
    ['an absolute path, as Windows has it', { location: 'C:\\w.bin' }, 'unsafe', /outside the folder/],
    ['a share, as Windows has it', { location: '\\\\server\\w.bin' }, 'unsafe', /outside the folder/],
    ['a NUL', { location: 'w.bin\0.txt' }, 'unsafe', /outside the folder/],
  ]
  test.each(places)('%s', async (_, entries, code, message) => {
    await writeBytes(join(folder, 'w.bin'), file)
    const tensor = tensorAt('w', entries)
    const externalData = new Map([['w.bin', file]])
    await expect(read(tensor)).rejects.toThrow(failure(code, message))
    await expect(read(tensor)).rejects.toMatchObject({ where: { tensor: 'w' } })
    expect(() => parseOnnx(bytesWith(tensor), { externalData })).toThrow(failure(code, message))
  })

  test.each<[string, TensorProto, string, RegExp]>([
    ['strings', { dataType: 8 }, 'malformed', /strings cannot be external/],
    ['an unknown place', { dataLocation: 2 }, 'malformed', /unknown data location; got 2/],
    ['an unknown type', { dataType: 0 }, 'malformed', /unknown tensor data type/],
    ['an impossible shape', { dims: [-1] }, 'malformed', /not a shape/],
    ['a shape beyond numbers', { dims: [2 ** 40, 2 ** 40] }, 'too-large', /cannot be addressed/],
    ['a shape beyond the file', { dims: [2 ** 40] }, 'truncated', /4398046511104 bytes asked for/],
  ])('%s', async (_, more, code, message) => {
    await writeBytes(join(folder, 'w.bin'), file)
    await expect(read(tensorAt('w', { location: 'w.bin' }, more))).rejects.toThrow(failure(code, message))
  })

  test('a file that is not there, or not given', async () => {
    const tensor = tensorAt('w', { location: 'absent.bin' })
    const absent = read(tensor)
    await expect(absent).rejects.toThrow(
      failure('not-found', /absent.bin, tensor "w": .* is not there. Put it beside/),
    )
    await expect(absent).rejects.toMatchObject({ where: { file: join(folder, 'absent.bin') } })
    for (const reading of [readOnnx(bytesWith(tensor)), readOnnx(model, { externalData: new Map() })])
      await expect(reading).rejects.toThrow(failure('not-found', /was not given. Pass it as externalData/))
    expect(() => parseOnnx(bytesWith(tensor))).toThrow(failure('not-found', /not given/))
  })

  test('a folder', async () => {
    await mkdir(join(folder, 'w.bin'))
    await expect(read(tensorAt('w', { location: 'w.bin' }))).rejects.toThrow(failure('io', /is a folder/))
  })
})

describe('links', () => {
  const tensor = tensorAt('w', { location: 'w.bin' })

  test('inside the folder are followed, out of it refused', async () => {
    await writeBytes(join(folder, 'real.bin'), file)
    await symlink('real.bin', join(folder, 'w.bin'))
    expect(dataOf(await read(tensor))).toEqual([0, 1])
    await rm(join(folder, 'w.bin'))
    await writeBytes(join(root, 'secret.bin'), file)
    await symlink('../secret.bin', join(folder, 'w.bin'))
    await expect(read(tensor)).rejects.toThrow(failure('unsafe', /link out of the folder .*secret.bin/))
  })

  test('a linked folder that leads out is refused', async () => {
    await mkdir(join(root, 'elsewhere'), { recursive: true })
    await writeBytes(join(root, 'elsewhere/w.bin'), file)
    await symlink('../elsewhere', join(folder, 'below'))
    await expect(read(tensorAt('w', { location: 'below/w.bin' }))).rejects.toThrow(
      failure('unsafe', /link out/),
    )
  })

  test('a folder whose name begins like the one of the model is another', async () => {
    await mkdir(`${folder}-other`)
    await writeBytes(join(`${folder}-other`, 'w.bin'), file)
    await symlink(join(`${folder}-other`, 'w.bin'), join(folder, 'w.bin'))
    await expect(read(tensor)).rejects.toThrow(failure('unsafe', /link out/))
  })

  test('model and weights that are links into one store, as download caches have them', async () => {
    const store = join(folder, 'blobs')
    await mkdir(store)
    await mkdir(join(folder, 'snapshot'))
    await writeBytes(join(store, 'aa'), bytesWith(tensor))
    await writeBytes(join(store, 'bb'), file)
    await symlink('../blobs/aa', join(folder, 'snapshot/model.onnx'))
    await symlink('../blobs/bb', join(folder, 'snapshot/w.bin'))
    expect(dataOf(await readOnnx(join(folder, 'snapshot/model.onnx')))).toEqual([0, 1])
  })

  test('a link to itself', async () => {
    await symlink('w.bin', join(folder, 'w.bin'))
    await expect(read(tensor)).rejects.toThrow(failure('io', /w.bin/))
  })
})

describe('writing', () => {
  function graphOf(...weights: Tensor[]): Graph {
    const g = graphBuilder()
    for (const [index, weight] of weights.entries())
      g.output(g.node('Identity', [g.constant(weight, `w${index}`)]))
    return g.build()
  }
  const large = zeros('float32', [32, 1024])
  large.data.fill(3)
  const graph = graphOf(float32([1, 2]), large, zeros('uint8', [1100]), large, zeros('string', [2000]))

  test('small weights stay, large ones begin at a page, others at a cache line', async () => {
    await writeOnnx(model, graph, { externalData: true })
    expect(await readdir(folder)).toEqual(['model.onnx', 'model.onnx.data'])
    const size = large.data.byteLength
    expect((await stat(`${model}.data`)).size).toBe(2 * size + 4096)
    expect((await stat(model)).size).toBeLessThan(6000)
    expect(plain((await readOnnx(model)).initializers)).toEqual(plain(graph.initializers))
    const { weights } = splitWeights(graph, 'x', 1024)
    expect(weights.filter(piece => piece.buffer === large.data.buffer)).toHaveLength(2)
  })

  test('no second file when nothing goes there', async () => {
    await writeOnnx(model, graphOf(float32([1])), { externalData: true })
    await writeOnnx(join(folder, 'empty.onnx'), graphOf(float32([])), {
      externalData: true,
      externalThreshold: 0,
    })
    expect(await readdir(folder)).toEqual(['empty.onnx', 'model.onnx'])
  })

  test('a name of its own, in a folder below too', async () => {
    await mkdir(join(folder, 'weights'))
    await writeOnnx(model, graph, { externalData: 'weights/w', externalThreshold: 1 })
    expect(plain((await readOnnx(model)).initializers)).toEqual(plain(graph.initializers))
  })

  test.each(['', '../w', '/tmp/w', 'C:w', 'model.onnx', './model.onnx', 'a\0'])(
    'not under the name "%s"',
    async name => {
      const writing = writeOnnx(model, graph, { externalData: name })
      await expect(writing).rejects.toThrow(
        failure('bad-argument', /"externalData": weights cannot be written there/),
      )
      expect(await readdir(folder)).toEqual([])
    },
  )

  test('when the model cannot be written, the weights stay what they were', async () => {
    await writeBytes(`${model}.data`, 'old')
    await mkdir(model)
    await expect(writeOnnx(model, graph, { externalData: true })).rejects.toThrow(
      failure('io', /is a folder/),
    )
    expect(await readFile(`${model}.data`, 'utf8')).toBe('old')
    expect(await readdir(folder)).toEqual(['model.onnx', 'model.onnx.data'])
  })

  test.skipIf(process.getuid?.() === 0)('a folder that may not be written to', async () => {
    await chmod(folder, 0o500)
    await expect(writeOnnx(model, graph, { externalData: true })).rejects.toThrow(/permission denied/)
    await chmod(folder, 0o700)
  })
})
