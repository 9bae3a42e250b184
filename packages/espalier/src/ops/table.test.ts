/** Keeps docs/operators.md equal to what the operators say. `npm run docs` writes it. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { operators } from './index.ts'
import { operatorTable } from './table.ts'

test('the table in the documentation is current', async () => {
  const file = join(import.meta.dirname, '../../../../docs/operators.md')
  await expect(operatorTable(operators.all)).toMatchFileSnapshot(file)
})
