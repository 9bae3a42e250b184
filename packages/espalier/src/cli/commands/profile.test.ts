import { beforeAll, describe, expect, test } from 'vitest'
import { graphBuilder } from '../../graph/builder.ts'
import { save } from '../../model.ts'
import type { ProfileRow } from '../../runtime/profile.ts'
import { describeProfile, rooflineShare } from '../reports/profile.ts'
import { classifier, espalier, temporaryFolder, weight } from '../testing.ts'

const path = temporaryFolder()
const model = path('classifier.onnx')
beforeAll(() => save(model, classifier()))

const step = (kind: string, seconds: number, flops = 0, bytes = 0): ProfileRow => ({
  kind,
  nodes: [`${kind}_node`],
  seconds,
  flops,
  bytes,
})
const peaks = { flops: 100e9, bytes: 10e9 }
const rows = [
  step('conv_f32', 0.001, 5e7, 1e6),
  { ...step('reference', 0.004), reason: 'no kernel for it' },
  step('copy', 0.002, 0, 5e6),
  step('conv_f32', 0.003, 15e7, 1e6),
]
const view = { by: 'node', all: false, width: Number.POSITIVE_INFINITY } as const

describe('the table', () => {
  test('by step, what has no kernel first', () => {
    expect(describeProfile({ rows, seconds: 0.011 }, peaks, view).join('\n')).toMatchInlineSnapshot(`
      "4 steps in 11.0 ms; this machine: 100.0 GFLOP/s, 10.0 GB/s
      no kernel: reference_node: no kernel for it (4.00 ms)

      kind       nodes             ms   share  GFLOP/s  GB/s  roofline
      conv_f32   conv_f32_node   1.00  10.0 %     50.0   1.0      50 %
      reference  reference_node  4.00  40.0 %
      copy       copy_node       2.00  20.0 %            2.5      25 %
      conv_f32   conv_f32_node   3.00  30.0 %     50.0   0.3      50 %"
    `)
  })

  test('by kind, the slowest first', () => {
    const lines = describeProfile({ rows, seconds: 0.011 }, peaks, { ...view, by: 'kind' })
    expect(lines.slice(3).join('\n')).toMatchInlineSnapshot(`
      "kind       steps    ms   share  GFLOP/s  GB/s  roofline
      conv_f32       2  4.00  40.0 %     50.0   0.5      50 %
      reference      1  4.00  40.0 %
      copy           1  2.00  20.0 %            2.5      25 %"
    `)
  })

  test('of many steps shows the slowest, in their order, unless all are asked for', () => {
    const many = Array.from({ length: 100 }, (_, i) => step(`k${i}`, (i % 50) / 1000))
    const lines = (all: boolean): string[] =>
      describeProfile({ rows: many, seconds: 1 }, peaks, { ...view, all })
    expect(lines(true)).toHaveLength(2 + 1 + 100)
    expect(lines(false)).toHaveLength(2 + 1 + 24 + 1)
    expect(lines(false).at(-1)).toMatch(/^ +76 quicker steps /)
    expect(lines(false)[3]).toMatch(/^k38 /)
  })

  test('of nothing', () => {
    expect(describeProfile({ rows: [], seconds: 0 }, peaks, view)).toHaveLength(3)
    expect(rooflineShare([step('free', 1)], peaks)).toBeUndefined()
  })
})

test('a model, with what its steps reach', async () => {
  const args = ['profile', model, '--runs', '1', '--threads', '1']
  const { code, stdout, stderr } = await espalier(args)
  expect(code, stderr).toBe(0)
  expect(stdout).toMatch(
    /^\d+ steps in [\d.,]+ ms; this machine: [\d.]+ GFLOP\/s, [\d.]+ GB\/s\n\nkind +nodes +ms +share/,
  )
  expect(stdout).toMatch(/\ngemm_f32 +head /)
  expect(stderr).toMatch(/profiled on the (native|wasm) back end \(.*, 1 thread\)\n$/)
  const { json } = await espalier([...args, '--by', 'kind', '--json'])
  expect(json).toMatchObject({ file: model, threads: 1, isa: expect.any(String) })
  expect(json.peaks.flops).toBeGreaterThan(0)
  for (const { kind, nodes, milliseconds, roofline } of json.steps)
    expect([typeof kind, Array.isArray(nodes), typeof milliseconds, typeof roofline]).toEqual([
      'string',
      true,
      'number',
      'number',
    ])
})

test('operators without a kernel say why', async () => {
  const g = graphBuilder()
  g.output(
    g.node(
      'Det',
      [g.node('MatMul', [g.input('x', 'float32', [2, 3]), g.constant(weight([3, 2]))])],
      {},
      { name: 'd' },
    ),
  )
  await save(path('determinant.onnx'), g.build())
  const { stdout } = await espalier(['profile', path('determinant.onnx'), '-n', '1'])
  expect(stdout).toMatch(/\nno kernel: d \(Det\): .* \([\d.,]+ ms\)\n\n/)
})

test('what is refused', async () => {
  expect(await espalier(['profile', model, '--by', 'layer'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('steps are not grouped by "layer"; expected node, kind'),
  })
  expect((await espalier(['profile', model, '-b', 'reference'])).stderr).toContain(
    'the reference has no profile',
  )
})
