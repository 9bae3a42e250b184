import { expect, test } from 'vitest'
import { benchmark, quantile } from './benchmark.ts'

/** A clock that only runs of the sides move on, each by its own milliseconds. */
function scene(...costs: (() => number)[]) {
  let time = 0
  const log: string[] = []
  const sides = costs.map((cost, index) => {
    const name = 'abc'[index]!
    return {
      name,
      run: async () => {
        log.push(name)
        time += cost()
      },
    }
  })
  return { sides, log, now: () => time }
}

test('one side: warmed up, then timed', async () => {
  let made = 0
  const { sides, log, now } = scene(() => ++made)
  const progress: number[] = []
  const [timing] = await benchmark(sides, {
    runs: 4,
    warmUp: 2,
    now,
    onProgress: (done, total) => progress.push(done / total),
  })
  expect(timing).toEqual({ name: 'a', median: 4.5, p90: 5.7, min: 3, times: [3, 4, 5, 6] })
  expect([log.length, progress]).toEqual([6, [0.25, 0.5, 0.75, 1]])
})

test('several sides: by turns, each with a run that is not timed', async () => {
  const { sides, log, now } = scene(
    () => 1,
    () => 10,
  )
  const timings = await benchmark(sides, { runs: 3, warmUp: 1, turns: 2, rest: 1, now })
  expect(log.join('')).toBe('ab' + 'aaa' + 'bbb' + 'bb' + 'aa')
  expect(timings.map(({ name, times }) => [name, times])).toEqual([
    ['a', [1, 1, 1]],
    ['b', [10, 10, 10]],
  ])
})

test('more turns than runs are as many as runs; all runs are made', async () => {
  const { sides, now } = scene(
    () => 1,
    () => 1,
    () => 1,
  )
  const timings = await benchmark(sides, { runs: 7, warmUp: 0, now })
  expect(timings.map(({ times }) => times.length)).toEqual([7, 7, 7])
})

test('counts out of range, and sides that fail', async () => {
  const { sides } = scene(() => 1)
  for (const options of [{ runs: 0 }, { runs: 1.5 }, { warmUp: -1 }, { turns: 0 }])
    await expect(benchmark(sides, options)).rejects.toMatchObject({ code: 'bad-argument' })
  const failing = { name: 'f', run: () => Promise.reject(new Error('no')) }
  await expect(benchmark([failing])).rejects.toThrow('no')
})

test('quantiles', () => {
  expect([0, 0.5, 0.9, 1].map(share => quantile([3, 1, 2, 4], share))).toEqual([1, 2.5, 3.7, 4])
  expect(quantile([], 0.5)).toBeNaN()
})
