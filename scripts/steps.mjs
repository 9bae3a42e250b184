// Writes kernels/generated/steps.hpp from the table of steps (packages/espalier/src/plan/steps): the structs that the
// kernels read, in the words that plan/encode.ts writes.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')

/** Writes the header where it differs; gives its text. */
export async function writeSteps() {
  const bundled = await build({
    stdin: {
      contents: `
        export { steps } from './steps/index.ts'
        export { quantizedSteps } from './steps/quantized.ts'
        export { layoutHash } from './layout.ts'`,
      resolveDir: join(root, 'packages/espalier/src/plan'),
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
  })
  const source = Buffer.from(bundled.outputFiles[0].text).toString('base64')
  const text = header(await import(`data:text/javascript;base64,${source}`))
  const folder = join(root, 'kernels/generated')
  const path = join(folder, 'steps.hpp')
  mkdirSync(folder, { recursive: true })
  if (read(path) !== text) writeFileSync(path, text)
  return text
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function header({ steps, quantizedSteps, layoutHash }) {
  const kinds = Object.entries(steps)
  const structs = kinds.map(
    ([name, { doc, fields }]) =>
      `// ${doc}\nstruct ${name} {\n${Object.entries(fields).map(field).join('')}};\n`,
  )
  const entries = kinds.map(([name], opcode) => ({ name, text: `  X(${opcode}, ${name})` }))
  const list = chosen => chosen.map(({ text }) => text).join(' \\\n')
  return `// Made by scripts/steps.mjs from the table of steps; not to be edited.
#pragma once
#include <stdint.h>

#include "../core/context.hpp"

namespace espalier::steps {

${structs.join('\n')}
}  // namespace espalier::steps

// Changes with the table: what was built from another one is not used.
#define ESPALIER_LAYOUT ${layoutHash}

#define ESPALIER_STEPS(X) \\
${list(entries)}

// Those of 8-bit integers, in which variants differ that have special instructions for them.
#define ESPALIER_INT8_STEPS(X) \\
${list(entries.filter(({ name }) => name in quantizedSteps))}
`
}

function field([name, kind]) {
  if (/^(in|out|inout|scratch)\??$/.test(kind)) return `  Operand ${name};\n`
  if (kind === 'int') return `  int32_t ${name};\n`
  if (kind === 'float') return `  float ${name};\n`
  if (kind === 'ints') return `  int32_t ${name}_count;\n  int32_t ${name}[1];  // ${name}_count of them\n`
  const length = /^int\[(\d+)\]$/.exec(kind)
  if (length) return `  int32_t ${name}[${length[1]}];\n`
  throw new Error(`unknown kind of field: ${kind}`)
}

if (process.argv[1] === import.meta.filename) await writeSteps()
