import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Analysis, AnalyzedLayer } from '../../compress/analyze/analyze.ts'
import { graphBuilder } from '../../graph/builder.ts'
import { save } from '../../model.ts'
import { describeAnalysis } from '../reports/analysis.ts'
import { espalier, temporaryFolder, weight } from '../testing.ts'

const path = temporaryFolder()
const model = path('products.onnx')
beforeAll(async () => {
  const g = graphBuilder()
  let x = g.input('x', 'float32', ['batch', 32, 64])
  for (const name of ['first', 'second', 'third'])
    x = g.node('MatMul', [x, g.constant(weight([64, 64]), `${name}.weight`)], {}, { name })
  g.output(x)
  await save(model, g.build())
})

const time = (milliseconds: number, ...kernels: string[]) => ({ milliseconds, kernels })
const now = time(2, 'gemm_f32')
const layer = (node: string): AnalyzedLayer => ({
  node,
  op: 'MatMul',
  weight: `${node}.weight`,
  shape: [256, 256],
  macs: 8388608,
  form: 'float32',
  sparsity: 0,
  bytes: 262144,
  now,
  imposed: [{ ...time(0.5, 'prepare_i8', 'sparse_i8'), form: 'int8-static', sparsity: 0.8, bytes: 15000 }],
})
const small: AnalyzedLayer = {
  ...{ node: 'head', op: 'Gemm', weight: 'head.weight', shape: [10, 4], form: 'float32', sparsity: 0.25 },
  ...{ bytes: 160, now: time(0.01, 'gemm_f32'), imposed: [null] },
}
const analysis: Analysis = {
  backend: 'native',
  isa: 'avx2',
  threads: 1,
  milliseconds: 5,
  layers: [layer('first'), small, layer('second')],
  now: { milliseconds: 4.01, bytes: 524448 },
  imposed: [{ name: '0.8,block4,int8', layers: { milliseconds: 1.01, bytes: 30160 }, milliseconds: 2 }],
  breakEven: [
    {
      ...{
        layers: ['first', 'second'],
        op: 'MatMul',
        shape: [256, 256],
        form: 'int8-static',
        pattern: 'block4',
      },
      ...{ dense: 1, sparsity: 0.55 },
      points: [
        { sparsity: 0.5, milliseconds: 1.1 },
        { sparsity: 0.95, milliseconds: 0.2 },
      ],
    },
    {
      ...{ layers: ['head'], op: 'Gemm', shape: [10, 4], form: 'float32', pattern: 'unstructured' },
      ...{ dense: 0.01, sparsity: null, points: [] },
    },
  ],
  skipped: [],
}

describe('the report', () => {
  test('has a row for every shape, and never a sparsity without bytes and milliseconds', () => {
    const lines = describeAnalysis(analysis, { all: false, width: Number.POSITIVE_INFINITY })
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "one run 5.00 ms; 3 layers with weights, of 2 shapes, 4.01 ms and 512.2 KiB together

      layer         layers  weight   operator  computed in    MACs   zeros      bytes  ms each    share  kernels
      first              2  256x256  MatMul    float32      8.39 M   0.0 %  256.0 KiB     2.00   99.8 %  gemm_f32
      head               1  10x4     Gemm      float32           ?  25.0 %      160 B    0.010    0.2 %  gemm_f32
      all of these       3                                                  512.2 KiB     4.01  100.0 %

      With 0.8,block4,int8:
      layer               layers  weight   computed in   zeros     bytes     ms   gain  kernels
      first                    2  256x256  int8-static  80.0 %  14.6 KiB  0.500  4.00x  prepare_i8, sparse_i8
      all layers                                                29.5 KiB   1.01  3.97x
      one run, estimated                                                   2.00  2.50x

      Milliseconds of the dense kernel, of the sparse one by share of zeros, and from where on sparse is quicker:
      layer  layers  weight   computed in  pattern       dense   0.5   0.95      quicker from
      first       2  256x256  int8-static  block4         1.00  1.10  0.200              0.55
      head        1  10x4     float32      unstructured  0.010               no sparse kernel"
    `)
  })
  test('fits a terminal', () => {
    const lines = describeAnalysis(analysis, { all: false, width: 80 })
    expect(Math.max(...lines.slice(2, 12).map(line => line.length))).toBeLessThanOrEqual(80)
  })
})

test('a model, on the command line', async () => {
  const args = ['analyze', model, '--impose', '0.9', '--impose', '0.75,block4,int8', '--threads', '1']
  const { code, stdout, stderr } = await espalier([...args, '--save', path('analysis.json')])
  expect(code, stderr).toBe(0)
  expect(stdout).toMatch(
    /^one run [\d.]+ ms; 3 layers with weights, of 1 shape, [\d.]+ ms and 48\.0 KiB together\n\n/,
  )
  expect(stdout).toMatch(
    /\nfirst +3 +64x64 +MatMul +float32 +131 k +0\.0 % +16\.0 KiB +[\d.]+ +100\.0 % +gemm_f32\n/,
  )
  expect(stdout).toMatch(/\nWith 0\.9:\n.*\nfirst +3 +64x64 +float32 +90\.0 % .* sparse_f32\n/)
  expect(stdout).toMatch(
    /\nWith 0\.75,block4,int8:\n.*\nfirst +3 +64x64 +int8-static +75\.0 % .* sparse_i8\n/,
  )
  expect(stderr).toMatch(/saved the analysis to .*analysis\.json\n$/)
  const saved = JSON.parse(readFileSync(path('analysis.json'), 'utf8'))
  expect(saved).toMatchObject({ file: model, threads: 1, skew: 0, skipped: [] })
  expect(saved.layers).toHaveLength(3)
  expect(saved.layers[0].imposed[1]).toMatchObject({ form: 'int8-static', sparsity: 0.75 })
  expect(saved.imposed.map(({ name }: { name: string }) => name)).toEqual(['0.9', '0.75,block4,int8'])
})

test('break-evens, as JSON', async () => {
  const args = [
    'analyze',
    model,
    '--break-even',
    '--skew',
    '0.5',
    '--symbol',
    'batch=2',
    '--threads',
    '1',
    '--json',
  ]
  const { json } = await espalier(args)
  expect(json).toMatchObject({ skew: 0.5, imposed: [] })
  expect(json.breakEven).toMatchObject([{ pattern: 'unstructured', form: 'float32', shape: [64, 64] }])
  expect(json.breakEven[0].points).toHaveLength(5)
})

test('what is refused', async () => {
  for (const [args, message] of [
    [['--impose', 'lots'], '--impose: "lots" is no sparsity, pattern or number format'],
    [['--skew', '9'], '--skew is no number in range: "9"; expected 0 to 4'],
  ] as const)
    expect(await espalier(['analyze', model, ...args])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
    })
  const { stderr } = await espalier(['analyze', model, '--backend', 'reference'])
  expect(stderr).toContain('layers are not timed on the reference')
})
