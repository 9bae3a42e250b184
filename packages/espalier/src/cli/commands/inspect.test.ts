import { writeFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { encodeOnnx, writeNpy, writeNpz, writeOnnx, writeSafetensors } from '../../formats/index.ts'
import { realFile } from '../../formats/testdata.suite.ts'
import { graphBuilder } from '../../graph/builder.ts'
import { type Graph, tensorType } from '../../graph/graph.ts'
import { save } from '../../model.ts'
import { float32, int64, type Tensor, tensor } from '../../tensor/tensor.ts'
import { classifier, espalier, temporaryFolder, weight } from '../testing.ts'

const path = temporaryFolder()
const model = path('classifier.onnx')
/** Output without the folder of the test. */
const shown = async (args: string[], columns?: number): Promise<string> => {
  const { code, stdout, stderr } = await espalier(['inspect', ...args], {
    ...(columns && { columns }),
    env: { NO_COLOR: '1' },
  })
  expect([code, stderr]).toEqual([0, ''])
  return stdout.replaceAll(`${path('')}/`, '')
}

beforeAll(() => save(model, classifier()))

describe('a model', () => {
  test('on a wide screen', async () => {
    expect(await shown([model])).toMatchInlineSnapshot(`
      "classifier.onnx  onnx, 1.63 KiB
      graph       classifier
      made by     espalier
      versions    ONNX IR 10, ai.onnx 21
      inputs      image, float32 batch x 3 x 4 x 4
      outputs     logits, float32 batch x 10
      nodes       6: 2 Conv, 1 Flatten, 1 Gemm, 1 GlobalAveragePool, 1 Relu
      parameters  288 in 3 constants, 1.13 KiB, float32
      MACs        4.01 k for batch=1: Conv 3.97 k, Gemm 40
      zeros       5.6 % of 288 layer weights; stored in 1.13 KiB, as many bytes as without zeros

      layer  operator  weight   type     bytes  MACs for batch=1   zeros  4-blocks  N:M
      conv1  Conv      8x3x3x3  float32  864 B            3.46 k   0.0 %     0.0 %    -
      conv2  Conv      4x8x1x1  float32  128 B               512  50.0 %     0.0 %  2:4
      head   Gemm      10x4     float32  160 B                40   0.0 %     0.0 %    -

      Counted from the file: nothing was run, and no time was measured.
      "
    `)
  })

  test('on a narrow screen, in which every line fits', async () => {
    const text = await shown([model], 44)
    expect(text).toMatchInlineSnapshot(`
      "classifier.onnx  onnx, 1.63 KiB
      graph       classifier
      made by     espalier
      versions    ONNX IR 10, ai.onnx 21
      inputs      image, float32 batch x 3 x 4 x 4
      outputs     logits, float32 batch x 10
      nodes       6: 2 Conv, 1 Flatten, 1 Gemm, 1
                  GlobalAveragePool, 1 Relu
      parameters  288 in 3 constants, 1.13 KiB,
                  float32
      MACs        4.01 k for batch=1: Conv 3.97 k,
                  Gemm 40
      zeros       5.6 % of 288 layer weights;
                  stored in 1.13 KiB, as many
                  bytes as without zeros

      layer  weight   bytes  MACs… batch=1   zeros
      conv1  8x3x3x3  864 B         3.46 k   0.0 %
      conv2  4x8x1x1  128 B            512  50.0 %
      head   10x4     160 B             40   0.0 %

      Counted from the file: nothing was run, and
      no time was measured.
      "
    `)
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(44)
  })

  test('with a value for a symbol', async () => {
    const text = await shown([model, '--symbol', 'batch=8'])
    expect(text).toContain('inputs      image, float32 8x3x4x4\n')
    expect(text).toMatch(/MACs +32\.1 k: Conv/)
    expect(text).not.toContain('batch')
  })

  test('as JSON', async () => {
    const { json } = await espalier(['inspect', model, '--json'])
    expect(json).toMatchObject({
      kind: 'model',
      file: model,
      format: 'onnx',
      name: 'classifier',
      opsets: { '': 21 },
      inputs: [{ name: 'image', type: { kind: 'tensor', dtype: 'float32', shape: ['batch', 3, 4, 4] } }],
      nodes: 6,
      parameters: 288,
      bytes: 1152,
      dtypes: [{ dtype: 'float32', tensors: 3, elements: 288, bytes: 1152 }],
      macs: '4008*batch',
      symbols: ['batch'],
      batchSymbols: ['batch'],
      problems: [],
      missing: [],
    })
    expect(json.layers.map((layer: { node: string }) => layer.node)).toEqual(['conv1', 'conv2', 'head'])
  })

  test('its graph', async () => {
    const text = await shown([model, '--graph', '-s', 'batch=2'])
    expect(text).toMatch(/^graph classifier \(onnx 21\) \{\n {2}input image: float32 2x3x4x4/)
    expect(text).toContain('pooled: float32 2x4 = Flatten(')
    const { json } = await espalier(['inspect', model, '--graph', '--json'])
    expect(json.graph).toContain('logits')
  })

  test('one of its constants', async () => {
    expect(await shown([model, '--tensor', 'conv2.weight'])).toBe(
      'conv2.weight  float32 4x8x1x1\n' +
        '  0, 0, 0.375, 0.5, 0, 0, 0.875, 0.125, ...\n' +
        '  min 0, max 0.875, mean 0.246094, standard deviation 0.29726\n',
    )
  })

  test('many layers: the largest, and all on request', async () => {
    const g = graphBuilder()
    let x = g.input('x', 'float32', [1, 8])
    for (let i = 0; i < 30; i++)
      x = g.node('MatMul', [x, g.constant(weight([8, 8]))], {}, { name: `layer${i}` })
    g.output(g.node('MatMul', [x, g.constant(weight([8, 99]))], {}, { name: 'last' }))
    await save(path('deep.onnx'), g.build())
    const text = await shown([path('deep.onnx')])
    expect(text).toMatch(/layer22 .*\nlast .*\nand 7 smaller \(--all shows them\) +1\.75 KiB +448\n/)
    expect(text).not.toContain('layer23')
    const all = await shown([path('deep.onnx'), '--all'])
    expect(all).toMatch(/layer29 .*\nlast /)
    expect(all).not.toContain('smaller')
  })

  test('stored sparse, with both sizes', async () => {
    const graph = classifier()
    const sparse: Graph = {
      ...graph,
      initializers: new Map([
        ...graph.initializers,
        [
          'head.weight',
          { dtype: 'float32', shape: [10, 4], values: float32([1, 2]), indices: int64([3, 17]) },
        ],
      ]),
    }
    await writeOnnx(path('sparse.onnx'), sparse)
    const text = await shown([path('sparse.onnx')])
    expect(text).toContain('zeros       18.8 % of 288 layer weights; stored in 1016 B, 1.13 KiB when dense\n')
    expect(text).toMatch(/head +Gemm +10x4 +float32 +24 B +40 +95\.0 % +80\.0 % +1:4/)
  })

  test('with remarks, external data and symbols other than a batch', async () => {
    const g = graphBuilder({ opsets: { 'com.example': 3 } })
    const x = g.input('x', 'float32', [1, 'length', 8])
    g.output(g.node('MatMul', [x, g.constant(weight([8, 64]))], {}, { name: 'projection' }))
    const graph: Graph = {
      ...g.build(),
      origin: {
        irVersion: 10,
        producer: 'tests',
        producerVersion: '1.0',
        doc: 'A model\nof two lines',
        metadata: new Map(Array.from({ length: 7 }, (_, i) => [`key${i}`, `value ${i}`])),
      },
    }
    await writeOnnx(path('remarks.onnx'), graph, { externalData: true })
    expect(await shown([path('remarks.onnx')])).toMatchInlineSnapshot(`
      "remarks.onnx  onnx, 368 B
      graph       graph
      made by     tests 1.0
      about       A model of two lines
      key0        value 0
      key1        value 1
      key2        value 2
      key3        value 3
      key4        value 4
      remarks     2 more (--json has them)
      versions    ONNX IR 10, ai.onnx 21, com.example 3
      inputs      x, float32 1 x length x 8
      outputs     projection:0, float32 1 x length x 64
      nodes       1: 1 MatMul
      parameters  512 in 1 constant, 2.00 KiB, float32
      MACs        512 x length, MatMul
      zeros       none among 512 layer weights of 2.00 KiB

      layer       operator  weight  type        bytes          MACs
      projection  MatMul    8x64    float32  2.00 KiB  512 x length

      Counted from the file: nothing was run, and no time was measured.
      "
    `)
  })
})

describe('a model that cannot run', () => {
  test('for want of operators', async () => {
    const g = graphBuilder({ opsets: { 'com.example': 1 } })
    const x = g.input('x', 'float32', [1, 8])
    let y = g.node('Frobnicate', [x], {}, { domain: 'com.example', name: 'first' })
    for (let i = 0; i < 7; i++) y = g.node('Frobnicate', [y], {}, { domain: 'com.example' })
    g.output(g.node('MatMul', [y, g.constant(weight([8, 4]))]))
    await save(path('missing.onnx'), g.build())
    expect(await shown([path('missing.onnx')])).toMatchInlineSnapshot(`
      "missing.onnx  onnx, 810 B
      graph       graph
      made by     espalier
      versions    ONNX IR 10, ai.onnx 21, com.example 1
      inputs      x, float32 1x8
      outputs     matmul_1, type unknown
      nodes       9: 8 com.example.Frobnicate, 1 MatMul
      parameters  32 in 1 constant, 128 B, float32
      MACs        unknown for com.example.Frobnicate, MatMul
      zeros       none among 32 layer weights of 128 B

      layer     operator  weight  type     bytes  MACs
      matmul_1  MatMul    8x4     float32  128 B     ?

      1 operator of this model cannot run here:
        com.example.Frobnicate: not implemented; used by first, frobnicate_1, frobnicate_2, frobnicate_3, frobnicate_4 and 3 more

      Counted from the file: nothing was run, and no time was measured.
      "
    `)
    const { json } = await espalier(['inspect', path('missing.onnx'), '--json'])
    expect(json.missing).toMatchObject([{ op: 'com.example.Frobnicate', reason: 'not implemented' }])
    expect(json.macs).toBeNull()
  })

  test('for broken rules', async () => {
    const g = graphBuilder()
    const x = g.input('x', 'float32', [1, 8])
    g.output(g.node('MatMul', [x, g.constant(weight([7, 4]))], {}, { name: 'product' }))
    await save(path('broken.onnx'), g.build())
    const text = await shown([path('broken.onnx')])
    expect(text).toMatch(/nodes +1: 1 MatMul\n/)
    expect(text).toMatch(/This model breaks 1 rule and cannot run:\n {2}node product \(MatMul\): .*8/)
    const [output] = g.build().outputs
    await save(path('lie.onnx'), {
      ...classifier(),
      outputs: [{ ...output!, name: 'logits', type: tensorType('int64', [1, 10]) }],
    })
    const lie = await shown([path('lie.onnx')])
    expect(lie).toMatch(/nodes +6: /)
    expect(lie).toMatch(/breaks \d rules? .*\n.*"logits": .*float32.*int64/)
    const { nodes, ...rest } = g.build()
    writeFileSync(
      path('cycle.onnx'),
      Buffer.concat(encodeOnnx({ ...rest, nodes: [{ ...nodes[0]!, inputs: ['nowhere', 'constant_1'] }] })),
    )
    expect(await shown([path('cycle.onnx')])).toMatch(
      /breaks 1 rule .*\n {2}node product.*nowhere.*made by no node/,
    )
    const { code, stderr } = await espalier(['inspect', path('cycle.onnx'), '--graph'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('cycle.onnx')])
  })
})

describe('a file of tensors', () => {
  test('of several types, with remarks', async () => {
    const tensors = new Map<string, Tensor>([
      ['layer.weight', weight([4, 8], i => i % 2 === 0)],
      ['layer.bias', weight([4])],
      ['step', int64(3)],
    ])
    await writeSafetensors(path('w.safetensors'), tensors, new Map([['format', 'pt']]))
    expect(await shown([path('w.safetensors')])).toMatchInlineSnapshot(`
      "w.safetensors  safetensors, 384 B
      tensors  3 of 37 elements, 152 B: 2 float32 144 B, 1 int64 8 B
      format   pt

      tensor        type     shape   bytes   zeros
      step          int64    scalar    8 B   0.0 %
      layer.bias    float32  4        16 B   0.0 %
      layer.weight  float32  4x8     128 B  50.0 %
      "
    `)
    const { json } = await espalier(['inspect', path('w.safetensors'), '--json'])
    expect(json).toMatchObject({ kind: 'tensors', format: 'safetensors', metadata: { format: 'pt' } })
    expect(json.tensors).toContainEqual({
      name: 'layer.weight',
      dtype: 'float32',
      shape: [4, 8],
      elements: 32,
      bytes: 128,
      zeros: 16,
    })
  })

  test('empty, of strings, of many', async () => {
    await writeNpz(path('empty.npz'), [])
    expect(await shown([path('empty.npz')])).toMatch(
      /^empty\.npz {2}npz, 22 B\ntensors {2}0 of 0 elements, 0 B\n$/,
    )
    await writeNpy(path('s.npy'), tensor('string', [2], ['a', 'b']))
    expect(await shown([path('s.npy')])).toMatch(/data +string +2 +2 B +0\.0 %\n$/)
    await writeNpz(
      path('many.npz'),
      Array.from({ length: 30 }, (_, i) => [`t${i}`, weight([i + 1], () => true)] as const),
    )
    const text = await shown([path('many.npz')])
    expect(text).toMatch(/and 6 smaller \(--all shows them\) +84 B +100\.0 %\n$/)
    expect((await shown([path('many.npz'), '-a'])).split('\n')).toHaveLength(35)
  })
})

describe('what is refused', () => {
  test.each([
    [
      ['classifier.onnx', '--symbol', 'bacth=2'],
      'the model has no symbolic dimension "bacth"; expected batch. Did you mean batch?',
    ],
    [
      ['classifier.onnx', '--graph', '--symbol', 'n=2'],
      'the model has no symbolic dimension "n"; expected batch',
    ],
    [
      ['classifier.onnx', '--tensor', 'conv2.wieght'],
      'holds no tensor "conv2.wieght". Did you mean conv2.weight?',
    ],
    [
      ['t.npy', '--tensor', 'classification'],
      'holds no tensor "classification". espalier inspect --all lists them',
    ],
    [['t.npy', '--graph'], '--graph is for models, and'],
    [['t.npy', '--symbol', 'n=2'], '--symbol is for models, and'],
  ])('%j', async ([file, ...args], message) => {
    await writeNpy(path('t.npy'), float32([1]))
    const { code, stderr } = await espalier(['inspect', path(file!), ...args])
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })

  test('names from a file do not reach the terminal as they are', async () => {
    await writeNpz(path('evil.npz'), [['\x1b[2Jname', float32([1])]])
    expect(await shown([path('evil.npz')])).toContain('\\x1b[2Jname')
  })
})

test('reading and examining say how far they are', async () => {
  const file = path('slow.safetensors')
  await writeSafetensors(file, new Map(['a', 'b', 'c', 'd'].map(name => [name, weight([1000])])))
  const { stderr } = await espalier(['inspect', file], { columns: 100, tick: 700, env: { NO_COLOR: '1' } })
  const bars = stderr.split('\r\x1b[2K')
  expect(bars).toContain(`reading ${file} [############............] 8.07 KiB of 15.9 KiB`)
  expect(bars).toContain('examining [##################......] 3 of 4')
  expect(bars.at(-1)).toBe('')
})

const real = [
  'models/onnx/dtln/model_1.onnx',
  'models/onnx/magika-standard_v3_3/model.onnx',
  'models/onnx/super-resolution/super_resolution.onnx',
  'models/onnx/ultraface/version-RFB-640.onnx',
]
describe.skipIf(realFile(real[0]!) === undefined)('real models', () => {
  test.each(real)('%s fits in 80 columns and has known costs', async file => {
    const text = await shown([realFile(file)!], 80)
    for (const line of text.split('\n').slice(1)) expect(line.length).toBeLessThanOrEqual(80)
    expect(text).toMatch(/\nMACs +[\d.]+ [kMG]/)
    expect(text).not.toMatch(/\?|null|undefined|NaN/)
  })
})
