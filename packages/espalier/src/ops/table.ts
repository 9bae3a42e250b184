/** The table of operators in the documentation, made from the operators themselves. */
import { dtypes } from '../tensor/dtype.ts'
import type { Op } from './op.ts'
import { parseParameter, type Schema } from './schema.ts'
import { espalierDomain } from './support/channels-last.ts'

/** Data types of the first input (of the first output where there is none), by the newest schema. */
function mainTypes(schema: Schema): string {
  const [first] = [...schema.inputs, ...schema.outputs]
  if (first === undefined) return '-'
  const { type } = parseParameter(first)
  const names: readonly string[] = schema.types?.[type] ?? [type]
  const tensors = dtypes.filter(dtype => names.includes(dtype))
  const others = names.filter(name => !tensors.some(dtype => dtype === name))
  const containers = [...new Set(others.map(name => name.replace(/\(.*/, '')))]
  const missing = dtypes.filter(dtype => !tensors.includes(dtype))
  const short =
    missing.length === 0 ? ['all'] : missing.length <= 4 ? [`all but ${missing.join(', ')}`] : tensors
  return [...short, ...containers.map(name => (name === 'seq' ? 'sequences' : 'optionals'))].join(', ')
}

const ownNote =
  "The project's own: what the optimiser makes of ONNX's ([architecture](architecture.md)). A file may use them too."

/** Operators of ONNX that are left out, with the reason. */
const absent: readonly (readonly [name: string, reason: string])[] = [
  ['ImageDecoder', 'decoding pictures is left to libraries: decode before the model runs'],
  ['ai.onnx.preview.training.Gradient', 'gradients come with training'],
  ['the rest of ai.onnx.ml', 'classical machine learning; only the operators above are here'],
]

/** `yes` for an operator with kernels; for one that the optimiser makes the project's own of (Conv), which; else nothing. */
function kernelOf(op: Op, operators: readonly Op[]): string {
  if (op.lower !== undefined) return 'yes'
  const twin = operators.find(other => other.domain === espalierDomain && other.name === op.name)
  const replaced = op.domain === undefined && twin?.lower !== undefined
  return replaced ? `as ${espalierDomain}.${op.name}` : ''
}

/** Markdown: one row an operator, by operator set and name. */
export function operatorTable(operators: readonly Op[]): string {
  const domains = [...new Set(operators.map(op => op.domain ?? ''))].sort()
  const lines = [
    '# Operators',
    '',
    'Made from the operators themselves; `npm run docs` writes it again. *Versions* are the operator-set versions that',
    'brought a schema: a model of operator set 7 or newer uses the newest that is not above its own. *Types* are those of the',
    'first input. Every session runs every operator: one without a *kernel*, or with a data type or mode that its kernel does not',
    'take, through its reference evaluation. `espalier run MODEL --random --explain` names those and says why.',
  ]
  for (const domain of domains) {
    const own = operators
      .filter(op => (op.domain ?? '') === domain)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    lines.push(
      '',
      `## ${domain === '' ? 'ONNX' : domain} (${own.length})`,
      '',
      ...(domain === espalierDomain ? [ownNote, ''] : []),
      '| operator | versions | types | kernel | what it computes | not supported |',
      '|---|---|---|---|---|---|',
      ...own.map(op => row(op, kernelOf(op, operators))),
    )
  }
  lines.push('', '## Not implemented', '', ...absent.map(([name, reason]) => `- ${name}: ${reason}.`))
  return `${lines.join('\n')}\n`
}

function row(op: Op, kernel: string): string {
  const versions = Object.keys(op.versions)
  const deprecated = op.deprecated === undefined ? '' : ` (deprecated from ${op.deprecated})`
  const cells = [
    op.name,
    `${versions.join(', ')}${deprecated}`,
    mainTypes(op.versions[Number(versions.at(-1))]!),
    kernel,
    op.doc,
    op.limits ?? '',
  ]
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
