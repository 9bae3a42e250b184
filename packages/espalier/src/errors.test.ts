import { describe, expect, test } from 'vitest'
import { EspalierError, locate, locateAsync } from './errors.ts'

describe('messages', () => {
  test.each([
    [{}, 'it broke'],
    [{ where: { file: 'm.onnx', offset: 12 } }, 'm.onnx at byte 12: it broke'],
    [{ where: { offset: 12 } }, 'byte 12: it broke'],
    [
      { where: { file: 'm.onnx', node: 'c1 (Conv)', tensor: 'w', field: 'pads' } },
      'm.onnx, node c1 (Conv), tensor "w", "pads": it broke',
    ],
    [{ expected: '1', got: '2', hint: 'Mend it' }, 'it broke; expected 1, got 2. Mend it'],
    [{ got: '2' }, 'it broke; got 2'],
    [{ expected: '1' }, 'it broke; expected 1'],
  ])('%j reads "%s"', (details, message) => {
    expect(new EspalierError('bad-argument', 'it broke', details).message).toBe(message)
  })
  test('a hint stands below a list', () => {
    const error = new EspalierError('bad-argument', 'two faults:\n  one\n  two', { hint: 'Mend them' })
    expect(error.message).toBe('two faults:\n  one\n  two\nMend them')
  })
})

describe('places', () => {
  const inner = new EspalierError('bad-shape', 'too long', {
    where: { tensor: 'x' },
    expected: '1',
    got: '2',
    hint: 'Cut it',
    cause: 'reason',
  })
  test('are added from inside out, what is known first wins', () => {
    const error = inner.at({ tensor: 'y', node: 'n (Op)' }).at({ file: 'f', node: 'other' })
    expect(error.where).toEqual({ file: 'f', node: 'n (Op)', tensor: 'x' })
    expect(error.message).toBe('f, node n (Op), tensor "x": too long; expected 1, got 2. Cut it')
    expect(error).toMatchObject({ code: 'bad-shape', summary: 'too long', cause: 'reason' })
    expect(inner.where).toEqual({ tensor: 'x' })
  })
  test('show in what is printed of an uncaught error, over the frames of the throw', () => {
    const { stack = '', message } = inner.at({ file: '$& $1' })
    expect(stack).toContain(message)
    expect(stack.split('\n').slice(1)).toEqual(inner.stack!.split('\n').slice(1))
  })
  test('are added by locate to errors of this library only', async () => {
    const fail = (error: unknown) => () => {
      throw error
    }
    const where = { file: 'f' }
    const located = expect.objectContaining({ where: { file: 'f', tensor: 'x' } })
    const other = new RangeError('a defect')
    expect(() => locate(where, fail(inner))).toThrow(located)
    expect(() => locate(where, fail(other))).toThrow(other)
    await expect(locateAsync(where, async () => fail(inner)())).rejects.toThrow(located)
    await expect(locateAsync(where, async () => fail(other)())).rejects.toThrow(other)
    expect(locate(where, () => 1)).toBe(1)
    await expect(locateAsync(where, async () => 2)).resolves.toBe(2)
  })
})

test('an error is data', () => {
  const error = new EspalierError('too-large', 'no room', { where: { tensor: 'w' }, got: '1 TiB' })
  expect(error).toBeInstanceOf(Error)
  expect(String(error)).toBe('EspalierError: tensor "w": no room; got 1 TiB')
  expect(JSON.parse(JSON.stringify(error))).toEqual({
    code: 'too-large',
    message: error.message,
    where: { tensor: 'w' },
    got: '1 TiB',
  })
})
