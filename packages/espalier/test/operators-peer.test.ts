/**
 * Every operator beside onnxruntime's: single nodes with random inputs, in the versions, data types and modes that the
 * tables in operators/ list. Skips, and says so, where onnxruntime-node is not installed (`npm --prefix bench ci`).
 * What onnxruntime does not have is counted and summed up; where it does something else than the specification stands in
 * operators/deviations.ts. `PEER_OPS=<regular expression>` selects operators, and lists all that is not compared.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { peerInstalled } from './models/peer.ts'
import { casesOf } from './operators/case.ts'
import { deviations } from './operators/deviations.ts'
import { judge, type Verdict } from './operators/judge.ts'
import { tables } from './operators/tables/index.ts'

const wanted = process.env.PEER_OPS
const groups = peerInstalled ? [...casesOf(tables)].filter(([op]) => new RegExp(wanted ?? '').test(op)) : []

describe.skipIf(!peerInstalled)('operators beside onnxruntime', () => {
  const counts: Record<Verdict['kind'] | 'deviates', number> = {
    agrees: 0,
    refused: 0,
    unsupported: 0,
    deviates: 0,
    differs: 0,
  }
  const missing = new Map<string, string[]>()
  const explained = new Set<RegExp>()

  test.for(groups)('%s', async ([op, cases], { skip }) => {
    const differences: string[] = []
    const lacking: string[] = []
    for (const one of cases) {
      const verdict = await judge(one)
      const what = 'what' in verdict ? `${one.title}: ${verdict.what}` : one.title
      if (verdict.kind === 'unsupported') lacking.push(what)
      const known = verdict.kind === 'differs' && deviations.find(deviation => deviation.cases.test(what))
      if (known) explained.add(known.cases)
      else if (verdict.kind === 'differs') differences.push(what)
      counts[known ? 'deviates' : verdict.kind]++
    }
    if (lacking.length > 0) missing.set(op, lacking)
    expect(differences).toEqual([])
    if (lacking.length === cases.length) skip('not supported by onnxruntime')
  })

  test.skipIf(wanted !== undefined)('every deviation that is recorded is one', () => {
    const idle = deviations.filter(({ cases }) => !explained.has(cases))
    expect(idle.map(({ cases, why }) => `${cases}: ${why}`)).toEqual([])
  })

  afterAll(() => {
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
    const { agrees, refused, unsupported, deviates } = counts
    console.log(
      `${total} cases: ${agrees} agree, ${refused} are refused by both, ${deviates} deviate, ${unsupported} are not supported by onnxruntime:`,
      wanted === undefined
        ? [...missing].map(([op, list]) => `${op} ${list.length}`).join(', ')
        : [...missing.values()]
            .flat()
            .map(line => `\n  ${line}`)
            .join(''),
    )
  })
})
