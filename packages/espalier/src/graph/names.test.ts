import { expect, test } from 'vitest'
import { choice } from './graphs.suite.ts'
import { freshNames, namesIn } from './names.ts'

test('names of a graph are those of values and nodes, in bodies too', () => {
  expect([...namesIn(choice())].sort()).toEqual(['add_1', 'c', 'if', 'one', 'x', 'y'])
})

test('fresh names keep clear of them and of each other', () => {
  const fresh = freshNames(choice())
  expect(['new', 'new', 'one', 'one', 'add', 'add', ''].map(fresh)).toEqual([
    ...['new', 'new_1', 'one_1', 'one_2', 'add', 'add_2', '_1'],
  ])
})

test('a set of taken names is shared', () => {
  const taken = new Set(['a'])
  const fresh = freshNames(taken)
  taken.add('b')
  expect([fresh('a'), fresh('b'), fresh('c')]).toEqual(['a_1', 'b_1', 'c'])
  expect([...taken]).toEqual(['a', 'b', 'a_1', 'b_1', 'c'])
})
