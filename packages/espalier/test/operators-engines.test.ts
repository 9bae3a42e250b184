/**
 * Every operator on every executor beside the reference: the cases that operators-peer.test.ts compares with onnxruntime.
 * `PEER_OPS=<regular expression>` selects operators.
 */
import { describe, expect, test } from 'vitest'
import { executors } from '../src/runtime/executors.ts'
import { reference } from '../src/runtime/reference.ts'
import { casesOf } from './operators/case.ts'
import { engineDifference } from './operators/engines.ts'
import { tables } from './operators/tables/index.ts'

const groups = [...casesOf(tables)].filter(([op]) => new RegExp(process.env.PEER_OPS ?? '').test(op))

describe.each(executors.filter(executor => executor !== reference))('operators on $name', executor => {
  const state = executor.available()
  test.skipIf(!state.ok).for(groups)('%s', ([, cases]) => {
    const found = cases.flatMap(one => {
      const difference = engineDifference(executor, one)
      return difference === undefined ? [] : [`${one.title}: ${difference}`]
    })
    expect(found).toEqual([])
  })
})
