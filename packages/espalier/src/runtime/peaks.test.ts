import { expect, test } from 'vitest'
import { leastSeconds, measurePeaks } from './peaks.ts'

test('this machine, on either back end', async () => {
  for (const threads of [1, 2]) {
    const peaks = await measurePeaks({ threads, budget: 0, elements: 2 ** 16, onWarning: () => {} })
    // No machine is slower or faster than that.
    expect(peaks.flops).toBeGreaterThan(1e7)
    expect(peaks.flops).toBeLessThan(1e14)
    expect(peaks.bytes).toBeGreaterThan(1e6)
  }
  await expect(measurePeaks({ backend: 'reference' })).rejects.toMatchObject({ code: 'unsupported' })
})

test('the slower of arithmetic and memory is the floor', () => {
  const peaks = { flops: 100, bytes: 10 }
  expect(leastSeconds({ flops: 200, bytes: 10 }, peaks)).toBe(2)
  expect(leastSeconds({ flops: 200, bytes: 50 }, peaks)).toBe(5)
})
