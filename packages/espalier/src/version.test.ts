import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { OLDEST_NODE } from './runtime/diagnose.ts'
import { version } from './version.ts'

test('the version and the oldest Node are those of the package', () => {
  const file = new URL('../package.json', import.meta.url)
  const { version: packaged, engines } = JSON.parse(readFileSync(file, 'utf8'))
  expect(version).toBe(packaged)
  expect(engines.node).toMatch(`^${OLDEST_NODE.join('.')}.`)
})
