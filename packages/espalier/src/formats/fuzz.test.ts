/** The fuzz harness itself: it repeats exactly, and finds each kind of fault that it is there to find. */
import { describe, expect, test } from 'vitest'
import { EspalierError } from '../errors.ts'
import { zeros } from '../tensor/tensor.ts'
import { fuzz } from './fuzz.suite.ts'
import { choicesOf, mutant, mutators, splice } from './mutations.suite.ts'

const seeds = [
  Uint8Array.from({ length: 300 }, (_, i) => (i % 4 === 0 ? i / 4 : 0)),
  new TextEncoder().encode("{'shape': (2, 33)}"),
]

describe('mutations', () => {
  test('a case depends on its run and number alone', () => {
    const make = (index: number, run = 7) => mutant(seeds, run, index)
    expect(make(41)).toEqual(make(41))
    const texts = new Set(Array.from({ length: 500 }, (_, index) => make(index).bytes.join()))
    expect(texts.size).toBeGreaterThan(450)
    expect(make(41, 8)).not.toEqual(make(41))
  })

  test.each(Object.keys(mutators))('%s changes bytes, leaves its input alone and bears empty input', name => {
    const mutate = mutators[name]!
    let changed = 0
    for (let index = 0; index < 50; index++)
      for (const seed of [...seeds, new Uint8Array(0), Uint8Array.of(49)]) {
        const input = seed.slice()
        const output = mutate(input, choicesOf(1, index), seeds)
        expect(input).toEqual(seed)
        if (output.join() !== seed.join()) changed++
      }
    expect(changed).toBeGreaterThan(30)
  })

  test('structural mutators begin half of the cases', () => {
    const structural = { mark: () => Uint8Array.of(1, 2, 3) }
    const begun = Array.from({ length: 400 }, (_, index) => mutant(seeds, 1, index, structural))
    expect(begun.filter(({ steps }) => steps[0] === 'mark').length).toBeGreaterThan(150)
    expect(begun.filter(({ steps }) => steps.length === 1 && steps[0] === 'mark').length).toBeGreaterThan(30)
  })

  test('splice replaces a range', () => {
    expect([...splice(Uint8Array.of(1, 2, 3, 4), 1, 2, Uint8Array.of(9, 8, 7))]).toEqual([1, 9, 8, 7, 4])
  })
})

describe('harness', () => {
  const run = (parse: (bytes: Uint8Array) => unknown) => fuzz({ name: 'sample', seeds, parse, count: 200 })

  test('counts what was read and what was refused', async () => {
    const report = await run(bytes => {
      if (bytes.length % 2 === 0) throw new EspalierError('malformed', 'even')
      return zeros('uint8', [bytes.length])
    })
    const refused = report.refused.get('malformed')!
    expect(refused).toBeGreaterThan(20)
    expect(report.accepted).toBe(200 - refused)
  })

  test('reports an error that is not an EspalierError, with the way to repeat it', async () => {
    const failing = run(bytes => {
      if (bytes.length < 10) throw new TypeError('oops')
    })
    await expect(failing).rejects.toThrow(
      /case \d+ of run 1 .*TypeError: oops\nESPALIER_FUZZ_SEED=1 ESPALIER_FUZZ_CASE=/s,
    )
  })

  test('reports a rejected promise the same way', async () => {
    await expect(run(async () => Promise.reject(new RangeError('late')))).rejects.toThrow('RangeError: late')
  })

  test('reports a result that is too large for its file', async () => {
    const parse = () => new Map([['x', zeros('float32', [2 ** 20])]])
    await expect(run(parse)).rejects.toThrow(/returned 4194304 bytes of tensors/)
  })

  test('reports memory that the result does not show', async () => {
    const kept: unknown[] = []
    await expect(run(() => void kept.push(new Uint8Array(2 ** 22)))).rejects.toThrow(/bytes of buffers/)
    await expect(run(() => void kept.push(new Array(2 ** 23).fill(0)))).rejects.toThrow(/bytes on the heap/)
  })

  test('reports a reader that writes to its input', async () => {
    await expect(run(bytes => void (bytes[0] = bytes[0]! ^ 1))).rejects.toThrow('wrote to its input')
  })
})
