import { writeFileSync } from 'node:fs'
import sharp from 'sharp'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { temporaryFolder } from '../cli/testing.ts'
import { numbers } from '../tensor/elements.ts'
import { type ImageOptions, imageExtensions, normalizeBytes, readImage } from './image.ts'

const path = temporaryFolder()
/** Two pixels side by side, red and blue. */
const pixels = sharp(Uint8Array.of(255, 0, 0, 0, 0, 255), { raw: { width: 2, height: 1, channels: 3 } })
const png = (): Promise<Uint8Array> => pixels.clone().png().toBuffer()
const rgb = { channels: 3, layout: 'nchw', dtype: 'float32' } as const
const read = async (bytes: Uint8Array | string, options: Partial<ImageOptions> = {}) => {
  const { shape, dtype, ...image } = await readImage(bytes, { ...rgb, ...options })
  return { shape, dtype, values: [...numbers({ shape, dtype, ...image } as never)] }
}

describe('layout and size', () => {
  test('channels first and last', async () => {
    expect(await read(await png())).toEqual({
      shape: [1, 3, 1, 2],
      dtype: 'float32',
      values: [1, 0, 0, 0, 0, 1],
    })
    expect(await read(await png(), { layout: 'nhwc', dtype: 'uint8' })).toEqual({
      shape: [1, 1, 2, 3],
      dtype: 'uint8',
      values: [255, 0, 0, 0, 0, 255],
    })
  })

  test('stretched to a size, or along one side', async () => {
    expect((await read(await png(), { width: 6, height: 4 })).shape).toEqual([1, 3, 4, 6])
    expect((await read(await png(), { height: 3 })).shape[2]).toBe(3)
  })

  test('grey of a colour picture, and three channels of a grey one', async () => {
    const { shape, values } = await read(await png(), { channels: 1, scale: 1 })
    expect(shape).toEqual([1, 1, 1, 2])
    expect(values[0]).toBeGreaterThan(values[1]!)
    const grey = await sharp(Uint8Array.of(7), { raw: { width: 1, height: 1, channels: 1 } })
      .png()
      .toBuffer()
    expect((await read(grey, { scale: 1 })).values).toEqual([7, 7, 7])
  })

  test('transparency and 16 bits are brought down to bytes', async () => {
    const clear = await sharp(Uint8Array.of(9, 8, 7, 128), { raw: { width: 1, height: 1, channels: 4 } })
      .png()
      .toBuffer()
    expect((await read(clear, { scale: 1 })).values).toEqual([9, 8, 7])
    const deep = await pixels.clone().toColourspace('rgb16').png().toBuffer()
    expect((await read(deep)).values).toEqual([1, 0, 0, 0, 0, 1])
  })

  test('upright, as the camera says', async () => {
    const turned = await pixels.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer()
    expect((await read(turned)).shape).toEqual([1, 3, 2, 1])
  })

  test.each(['png', 'jpg', 'webp', 'gif', 'tiff', 'avif'])('%s from a file', async ending => {
    expect(imageExtensions).toContain(ending)
    await sharp({
      create: { width: 16, height: 16, channels: 3, background: { r: 255, g: 0, b: 0 } },
    }).toFile(path(`a.${ending}`))
    const { shape, values } = await read(path(`a.${ending}`))
    expect(shape).toEqual([1, 3, 16, 16])
    expect(values[0]).toBeGreaterThan(0.9)
    expect(values.at(-1)).toBeLessThan(0.1)
  })
})

describe('normalisation', () => {
  const bytes = Uint8Array.of(0, 51, 255, 102)
  const of = (...args: [number, ImageOptions['dtype'], Parameters<typeof normalizeBytes>[4]]) => [
    ...numbers(normalizeBytes(bytes, [1, 2, 2], ...args)),
  ]

  test('scale, then mean, then deviation, by channel', () => {
    expect(of(1, 'float64', {})).toEqual([0, 0.2, 1, 0.4])
    expect(of(1, 'float64', { scale: 1, mean: [1, 2], std: [2, 4] })).toEqual([-0.5, 25, 63.25, 25])
    expect(of(2, 'float64', { scale: 1, mean: [0, 1] })).toEqual([0, 50, 255, 101])
    expect(of(1, 'uint8', {})).toEqual([0, 51, 255, 102])
    expect(of(1, 'int8', { mean: [128] })).toEqual([-128, -77, 127, -26])
    expect(of(1, 'int32', { scale: 0.1 })).toEqual([0, 5, 26, 10])
  })

  test.each([
    ['int8', {}, 'bad-dtype', 'do not fit int8'],
    ['bool', {}, 'bad-dtype', 'do not fit bool'],
    ['uint8', { mean: [1] }, 'bad-dtype', 'do not fit uint8'],
    [
      'float32',
      { mean: [1, 2, 3] },
      'bad-argument',
      '"mean": one value, or one for each channel; expected 1 or 2, got 3',
    ],
    ['float32', { std: [] }, 'bad-argument', '"std": one value'],
    ['float32', { std: [1, 0] }, 'bad-argument', '"std": a deviation of 0'],
  ] as const)('%s %j', (dtype, normalization, code, message) => {
    const make = () => of(1, dtype, normalization)
    expect(make).toThrow(message)
    expect(make).toThrow(expect.objectContaining({ code }))
  })
})

describe('what cannot be read', () => {
  test('files that are not there, are empty, broken or no pictures', async () => {
    await expect(read(path('none.png'))).rejects.toMatchObject({ code: 'not-found' })
    for (const [name, bytes] of [
      ['empty.png', new Uint8Array()],
      ['text.png', 'no picture'],
      ['cut.png', (await png()).subarray(0, 50)],
    ] as const) {
      writeFileSync(path(name), bytes)
      await expect(read(path(name))).rejects.toMatchObject({ code: 'malformed', where: { file: path(name) } })
    }
  })

  afterEach(() => {
    vi.doUnmock('sharp')
  })

  test('without sharp', async () => {
    vi.doMock('sharp', () => {
      throw new Error('no such package')
    })
    await expect(read(await png())).rejects.toMatchObject({
      code: 'missing-dependency',
      hint: 'npm install sharp',
    })
  })
})
