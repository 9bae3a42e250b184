import { describe, expect, test } from 'vitest'
import { graphBuilder } from '../graph/builder.ts'
import { readFeedFile, readRows } from './inputs.ts'

const builder = graphBuilder()
for (const name of ['x', 'x=1', 'image']) builder.input(name, 'float32', [1])
const graph = builder.build()
const read = (text: string, ...files: string[]) => readFeedFile(text, graph, path => files.includes(path))

describe('files for inputs', () => {
  test.each([
    ['a.npy', { file: 'a.npy' }],
    ['x=a.npy', { file: 'a.npy', input: 'x' }],
    ['x=1=a.npy', { file: 'a.npy', input: 'x=1' }],
    ['a.npz#w', { file: 'a.npz', array: 'w' }],
    ['image=a.npz#b#w', { file: 'a.npz#b', input: 'image', array: 'w' }],
    ['#a', { file: '#a' }],
  ])('%s', (text, expected) => expect(read(text)).toEqual(expected))

  test('names of files with = or # in them, when there are such files', () => {
    expect(read('y=1.npy', 'y=1.npy')).toEqual({ file: 'y=1.npy' })
    expect(read('x=a#1.npy', 'a#1.npy')).toEqual({ file: 'a#1.npy', input: 'x' })
  })

  test('an input that is not there', () => {
    expect(() => read('imgae=a.npy')).toThrow(
      'the model has no input "imgae"; expected x, x=1, image. Did you mean image=a.npy?',
    )
    expect(() => readFeedFile('a=b', graphBuilder().build())).toThrow('expected no input at all')
  })
})

test('rows', () => {
  expect([readRows('8'), readRows('100:108')]).toEqual([
    { from: 0, to: 8 },
    { from: 100, to: 108 },
  ])
  for (const bad of ['', '0', '8:8', '-1', '1:2:3', 'a'])
    expect(() => readRows(bad)).toThrow(`--take does not name rows: "${bad}"`)
})
