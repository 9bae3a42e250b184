import { statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { pruneMagnitude } from '../../compress/magnitude.ts'
import { writeTensors } from '../../formats/index.ts'
import { save } from '../../model.ts'
import { runReference } from '../../runtime/reference.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { normal, randomKey } from '../../tensor/random.ts'
import { int64, type Tensor } from '../../tensor/tensor.ts'
import { classifier, espalier, type Ran, temporaryFolder } from '../testing.ts'

const path = temporaryFolder()
const image = fromNumbers('float32', [40, 3, 4, 4], normal(randomKey(3), 40 * 48))
const dense = classifier()
const { graph: pruned } = pruneMagnitude(dense, { sparsity: 0.75, smallest: 0 })
/** What the dense model says, so that it is right about all of them. */
const scores = numbers(runReference(dense, { image }).get('logits') as Tensor)
const labels = int64(
  Array.from({ length: 40 }, (_, row) => {
    const own = scores.subarray(10 * row, 10 * row + 10)
    return own.indexOf(Math.max(...own))
  }),
)
await save(path('dense.onnx'), dense)
await save(path('small.espalier'), pruned)
await writeTensors(
  path('test.npz'),
  new Map<string, Tensor>([
    ['image', image],
    ['labels', labels],
  ]),
)
await writeTensors(path('rows.npy'), new Map([['image', image]]))

const evaluate = (...args: string[]): Promise<Ran> =>
  espalier(['evaluate', path('small.espalier'), '--threads', '1', '-n', '1', ...args])

describe('evaluate', () => {
  test('shows accuracy, zeros, bytes and milliseconds of both models', async () => {
    const line = ['--data', path('test.npz'), '--against', path('dense.onnx')]
    const { code, stdout, stderr } = await evaluate(...line)
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/^40 rows, 32 in a run, on the (native|wasm) back end/)
    expect(stdout).toMatch(/zeros +stored +share +ms a run +speed +top-1 +top-5 +same class +error\n/)
    expect(stdout).toMatch(/dense\.onnx .* KiB +100\.0 % +[\d.]+ +1\.00x +100\.00 % +100\.00 %\n/)
    const { json } = await evaluate(...line, '--json')
    expect(json).toMatchObject({
      file: path('small.espalier'),
      rows: 40,
      threads: 1,
      model: { accuracy: { rows: 40 }, storedBytes: statSync(path('small.espalier')).size },
      against: { accuracy: { top1: 1, top5: 1 }, storedBytes: statSync(path('dense.onnx')).size },
    })
    expect(json.model.accuracy.top1).toBe(json.model.agreement.top1)
    expect(json.model.milliseconds.median).toBeGreaterThan(0)
  })

  test('one model alone, the first rows only, labels from a file', async () => {
    const { code, stdout } = await evaluate(
      '-d',
      path('rows.npy'),
      '-l',
      `${path('test.npz')}#labels`,
      '--limit',
      '8',
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/^8 rows, 8 in a run/)
    expect(stdout).toMatch(/zeros +stored +ms a run +top-1 +top-5\n/)
  })

  test('without labels, how far outputs agree', async () => {
    const { code, stdout } = await evaluate(
      '-d',
      `image=${path('rows.npy')}`,
      '--against',
      path('dense.onnx'),
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/speed +same class +error\n/)
  })

  test.each([
    [[], /needs --data/],
    [['-d', path('rows.npy')], /nothing to compare with/],
    [['-d', path('none.npy'), '--against', path('dense.onnx')], /none\.npy/],
    [['-d', path('test.npz'), '--limit', '0'], /--limit is not a whole number/],
    [['-d', path('test.npz'), '-o', 'none'], /no output "none"/],
    [['-d', path('test.npz'), '-l', `${path('test.npz')}#image`], /no class of the model/],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await evaluate(...args)
    expect(code).not.toBe(0)
    expect(stderr).toMatch(message)
  })
})
