/** What is imposed on the layers of a model to see how long they would take: `0.9`, `0.8,block4,int8`. */
import { EspalierError } from '../../errors.ts'
import { type Pattern, patternNamed, sparsityFor } from '../patterns/index.ts'
import type { LayerForm } from './layers.ts'

export interface Imposition {
  /** As it was asked for. */
  readonly name: string
  /** Which zeros; `undefined` for the weights as they are. */
  readonly pattern?: Pattern
  /** Share of zeros. */
  readonly sparsity?: number
  /** What layers are computed on, those that can; as they are now when left out. */
  readonly form?: LayerForm
}

const forms: Readonly<Record<string, LayerForm>> = {
  float32: 'float32',
  int8: 'int8-static',
  'int8-static': 'int8-static',
  'int8-dynamic': 'int8-dynamic',
}

/**
 * Reads a sparsity, a pattern and a number format between commas, in any order and each at most once. A sparsity alone is
 * `unstructured`; patterns such as `2:4` have their own. Throws `bad-argument`.
 */
export function readImposition(name: string): Imposition {
  let sparsity: number | undefined
  let pattern: Pattern | undefined
  let form: LayerForm | undefined
  const twice = (what: string): EspalierError =>
    new EspalierError('bad-argument', `"${name}" has two ${what}`, { expected: 'one, as in 0.8,block4,int8' })
  for (const part of name.split(',').map(text => text.trim())) {
    if (Object.hasOwn(forms, part)) {
      if (form !== undefined) throw twice('number formats')
      form = forms[part]!
    } else if (/^(\d+\.?\d*|\.\d+)$/.test(part)) {
      if (sparsity !== undefined) throw twice('sparsities')
      sparsity = Number(part)
    } else {
      if (pattern !== undefined) throw twice('patterns')
      pattern = patternOrFormat(part)
    }
  }
  if (sparsity !== undefined) pattern ??= patternNamed('unstructured')
  return {
    name,
    ...(pattern && { pattern, sparsity: sparsityFor(pattern, sparsity) }),
    ...(form && { form }),
  }
}

function patternOrFormat(part: string): Pattern {
  try {
    return patternNamed(part)
  } catch (error) {
    throw error instanceof EspalierError
      ? new EspalierError('bad-argument', `"${part}" is no sparsity, pattern or number format`, {
          expected: `a share as 0.9, ${error.expected}, or one of ${Object.keys(forms).join(', ')}`,
        })
      : error
  }
}
