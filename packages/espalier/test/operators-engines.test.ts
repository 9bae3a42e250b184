/**
 * Every operator on every executor beside the reference: the cases that operators-peer.test.ts compares with onnxruntime.
 * Native kernels get all of them, WebAssembly every fourth: it is the same code. `PEER_OPS=<regular expression>` selects
 * operators, and all their cases; `ENGINE_CASES=all` takes all.
 */
import { describe, expect, test } from 'vitest'
import { testedExecutors } from '../src/runtime/executors.suite.ts'
import { casesOf } from './operators/case.ts'
import { engineDifference } from './operators/engines.ts'
import { tables } from './operators/tables/index.ts'

const groups = [...casesOf(tables)].filter(([op]) => new RegExp(process.env.PEER_OPS ?? '').test(op))

describe.each(testedExecutors.filter(({ name }) => name !== 'reference'))('operators on $name', executor => {
  const state = executor.available()
  const all = executor.name !== 'wasm' || process.env.PEER_OPS || process.env.ENGINE_CASES === 'all'
  const step = all ? 1 : 4
  test.skipIf(!state.ok).for(groups)('%s', ([, cases]) => {
    const found = cases.flatMap((one, index) => {
      if (index % step !== 0) return []
      const difference = engineDifference(executor, one)
      return difference === undefined ? [] : [`${one.title}: ${difference}`]
    })
    expect(found).toEqual([])
  })
})
