import { readFileSync, statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readEspalier } from '../../formats/espalier/index.ts'
import { writeTensors } from '../../formats/index.ts'
import { graphBuilder } from '../../graph/builder.ts'
import { type Graph, isSparse } from '../../graph/graph.ts'
import { load, save } from '../../model.ts'
import { runReference } from '../../runtime/reference.ts'
import { normal, randomKey } from '../../tensor/random.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { sameTensor, type Tensor, tensor } from '../../tensor/tensor.ts'
import { espalier, temporaryFolder } from '../testing.ts'

const path = temporaryFolder()

function random(shape: readonly number[], seed: number): Tensor<'float32'> {
  return tensor(
    'float32',
    shape,
    Float32Array.from(normal(randomKey(seed), sizeOf(shape)), x => x / 8),
  )
}

function model(): Graph {
  const g = graphBuilder({ name: 'model' })
  let x = g.input('x', 'float32', ['n', 64])
  x = g.node('Relu', [g.node('MatMul', [x, g.constant(random([64, 128], 1), 'a.weight')], {}, { name: 'a' })])
  x = g.node(
    'Gemm',
    [x, g.constant(random([96, 128], 2), 'b.weight')],
    { transB: 1 },
    { name: 'b', outputs: ['y'] },
  )
  g.output(x)
  return g.build()
}

await save(path('m.onnx'), model())
const x = random([40, 64], 3)
await writeTensors(path('data.npz'), new Map([['x', x]]))

describe('compress', () => {
  test('prunes and quantises into an espalier file, and shows bytes beside every sparsity', async () => {
    const line = [
      'compress',
      path('m.onnx'),
      '-s',
      '0.8',
      '-p',
      'block4',
      '-q',
      'int8',
      '-d',
      path('data.npz'),
      '-o',
      path('s.espalier'),
    ]
    const { code, stdout, stderr } = await espalier(line)
    const { json } = await espalier([...line, '--json'])
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/weight +shape +pattern +zeros +code +dense +stored +share +bound/)
    expect(stdout).toMatch(/a\.weight +64x128 +block4 +80\.\d % +block int8 +32\.0 KiB +\d/)
    expect(stdout).toMatch(/the whole model/)
    expect(json.layers).toMatchObject([
      { name: 'a.weight', asked: 0.8, pattern: 'block4', dtype: 'int8', codec: 'block', denseBytes: 32768 },
      { name: 'b.weight' },
    ])
    for (const { storedBytes, boundBytes, denseBytes } of json.layers) {
      expect(storedBytes / denseBytes).toBeLessThan(0.065)
      expect(storedBytes / boundBytes).toBeLessThan(1.1)
    }
    expect(json.fileBytes.after).toBe(statSync(path('s.espalier')).size)
    const read = await readEspalier(path('s.espalier'))
    expect(read.nodes.map(({ op }) => op)).toContain('QuantizeLinear')
    const [before, after] = [model(), read].map(
      graph => runReference(graph, { x }).get('y') as Tensor<'float32'>,
    )
    expect(after!.shape).toEqual(before!.shape)
  })

  test('without data the products are quantised as they run; a pattern has its own sparsity', async () => {
    const { code, json } = await espalier([
      'compress',
      path('m.onnx'),
      '-p',
      '2:4',
      '-q',
      'int8',
      '-o',
      path('d.onnx'),
      '--json',
    ])
    expect(code).toBe(0)
    expect(json.layers.map(({ codec }: { codec: string }) => codec)).toEqual(['n:m', 'n:m'])
    expect((await load(path('d.onnx'))).nodes.map(({ op }) => op)).toContain('MatMulInteger')
  })

  test('an ONNX file may have sparse tensors, which give the same numbers', async () => {
    const to = (name: string, ...more: string[]) =>
      espalier([
        'compress',
        path('m.onnx'),
        '--sparsity',
        '0.9',
        '--threshold',
        'global',
        '-o',
        path(name),
        ...more,
      ])
    expect((await to('dense.onnx')).stderr).toMatch(/note: .*dense.onnx holds the weights as ONNX does/)
    await to('sparse.onnx', '--sparse')
    await to('same.espalier')
    const [dense, sparse, same] = await Promise.all(
      ['dense.onnx', 'sparse.onnx', 'same.espalier'].map(name => load(path(name))),
    )
    expect([...sparse!.initializers.values()].every(isSparse)).toBe(true)
    const results = [dense!, sparse!, same!].map(graph => runReference(graph, { x }).get('y') as Tensor)
    expect(sameTensor(results[0]!, results[1]!) && sameTensor(results[0]!, results[2]!)).toBe(true)
    expect(statSync(path('same.espalier')).size).toBeLessThan(0.16 * statSync(path('dense.onnx')).size)
  })

  test('inspect shows the bytes of the file', async () => {
    await espalier(['compress', path('m.onnx'), '--sparsity', '0.9', '-o', path('i.espalier')])
    const { json } = await espalier(['inspect', path('i.espalier'), '--json'])
    expect(json.format).toBe('espalier')
    expect(json.sparsity.fraction).toBeCloseTo(0.9, 2)
    expect(json.sparsity.bytes).toBeLessThan(0.14 * json.sparsity.denseBytes)
  })

  test('says what it left as it was', async () => {
    const { stderr } = await espalier([
      'compress',
      path('m.onnx'),
      '-s',
      '0.5',
      '--keep-last',
      '-o',
      path('k.onnx'),
    ])
    expect(stderr).toMatch(/1 weight left as before: the last layer is kept \(b\.weight\)/)
  })

  test('the model itself is not replaced', async () => {
    const before = readFileSync(path('m.onnx'))
    const { code, stderr } = await espalier(['compress', path('m.onnx'), '-s', '0.5', '-o', path('./m.onnx')])
    expect([code, stderr]).toEqual([2, expect.stringMatching(/is the model itself/)])
    expect(readFileSync(path('m.onnx'))).toEqual(before)
  })

  test.each([
    [['-s', '0.5'], /needs --output/],
    [['-o', 'x.npz', '-s', '0.5'], /a model is written/],
    [['-o', 'x.onnx'], /nothing to do/],
    [['-o', 'x.onnx', '-s', '80'], /no share of the weights/],
    [['-o', 'x.onnx', '-s', '0.5', '-p', 'squares'], /no pattern "squares"/],
    [['-o', 'x.onnx', '-s', '0.9', '-p', '2:4'], /sparsity of its own/],
    [['-o', 'x.onnx', '-q', 'int3'], /--quantize is none of these/],
    [['-o', 'x.onnx', '-q', 'int8-static'], /no data to calibrate/],
    [['-o', 'x.onnx', '-s', '0.5', '--threshold', 'all'], /--threshold is none/],
    [['-o', 'none/x.onnx', '-s', '0.5'], /no folder/],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await espalier(['compress', path('m.onnx'), ...args])
    expect(code).not.toBe(0)
    expect(stderr).toMatch(message)
  })
})
