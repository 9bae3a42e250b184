/** Keeps docs/cli.md equal to what the commands say. `npm run docs` writes it. */
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { Analysis } from '../compress/analyze/analyze.ts'
import { writeTensors } from '../formats/index.ts'
import type { Side, Timing } from '../runtime/benchmark.ts'
import { diagnose } from '../runtime/diagnose.ts'
import { fromNumbers } from '../tensor/elements.ts'
import { normal, randomKey } from '../tensor/random.ts'
import { describeDiagnosis } from './commands/doctor.ts'
import { commands } from './commands/index.ts'
import { describeRun } from './commands/run.ts'
import { describeEngine } from './engine-options.ts'
import { commandHelp, generalHelp } from './help.ts'
import { MOST_JSON_ELEMENTS } from './json.ts'
import { describeAnalysis } from './reports/analysis.ts'
import { describeBenchmark } from './reports/benchmark.ts'
import { describeProfile } from './reports/profile.ts'
import { espalier, temporaryFolder } from './testing.ts'

/** Milliseconds of models that are timed beside others, as they were measured once. */
let measuredOnce: readonly number[] = []
vi.mock('../runtime/benchmark.ts', async original => ({
  ...(await original<object>()),
  benchmark: async (sides: readonly Side[]): Promise<Timing[]> =>
    sides.map(({ name }, index) => {
      const time = measuredOnce[index]!
      return { name, median: time, p90: time, min: time, times: [time] }
    }),
}))
vi.mock('./machine.ts', () => ({ lookAtMachine: () => ({}), warnOfLoad: () => {} }))

const path = temporaryFolder()

/** What the examples run on; the machine of the test has other kernels, or none. */
const engine = { backend: 'native', isa: 'avx512vnni', threads: 8 } as const

/** What the times of quickstart and evaluate were measured on once, and these times, in milliseconds. */
const measuredOn = { backend: 'native', isa: 'avx2', threads: 1 } as const
const quickstartTimes = [6.5, 2.42, 3.19]
const evaluateTimes = [1.18, 1.61]

/** Command lines and what they print, results and remarks; files are in the folder of the test. */
async function transcript(...lines: string[]): Promise<string> {
  const parts: string[] = []
  for (const line of lines) {
    const args = line.split(' ').map(arg => (/\.(onnx|espalier|npz|npy)$/.test(arg) ? path(arg) : arg))
    // Kernels of different processors differ in the last digits; the reference is the same everywhere.
    const { code, stdout, stderr } = await espalier(
      line.startsWith('run') ? [...args, '-b', 'reference'] : args,
    )
    expect(code, stderr).toBe(0)
    const text = (stdout + stderr)
      .replace(/^warning: models run on WebAssembly: .*\n/gm, '')
      .replaceAll(`${path('')}/`, '')
      .replace(/^ran on the reference back end.*$/m, describeRun(engine, 0))
      .replace(/on the (native|wasm) back end \(.*?\)/g, `on the ${describeEngine(measuredOn)}`)
      .replaceAll(/[\d.,]+ ms/g, '... ms')
    parts.push(`$ espalier ${line}\n${text}`)
  }
  return block(parts.join('\n'))
}

function block(text: string): string {
  return `\`\`\`\n${text.trimEnd()}\n\`\`\``
}

/** `espalier doctor` on one machine, always the same. */
function doctorOutput(): string {
  const found = {
    ...diagnose(),
    host: 'node 22.12.0',
    platform: 'linux x64',
    cpu: 'AMD EPYC 9554P',
    cores: 16,
    memory: 2 ** 36,
    features: ['AVX2', 'FMA', 'F16C', 'AVX-512F', 'AVX-512BW', 'AVX-512 VNNI', 'AVX-512 BF16'],
    webAssembly: { simd: true, relaxedSimd: true, threads: true },
    backEnds: [
      { name: 'native', available: true, reason: '', variants: ['avx512vnni', 'avx512', 'avx2'] as const },
      { name: 'wasm', available: true, reason: '', variants: ['wasm-relaxed', 'wasm'] as const },
      { name: 'reference', available: true, reason: '', variants: [] },
    ],
    selected: { name: 'native', threads: 16, reason: 'avx512vnni kernels, from build/Release/espalier.node' },
    packages: { sharp: 'not installed: npm install sharp' },
  }
  return block(['$ espalier doctor', ...describeDiagnosis(found, 100)].join('\n'))
}

/** `espalier bench` of a ResNet-20, as it was measured once. */
function benchOutput(): string {
  const machine = { cpu: 'AMD EPYC', cores: 2, node: '20.20.2', load: 1.01 }
  const sides = [
    {
      name: 'espalier native',
      median: 1.319,
      p90: 1.689,
      min: 1.07,
      first: 50.5,
      creation: 116,
      memory: 13_750_272,
    },
    {
      name: 'onnxruntime-node 1.30.0',
      median: 1.356,
      p90: 1.785,
      min: 1.12,
      first: 3.19,
      creation: 114,
      memory: 32_751_616,
    },
  ].map(side => ({ ...side, times: [] }))
  const agreement = { difference: 2.6e-7, output: 'output', tolerance: 0.001, agree: true }
  const lines = describeBenchmark(machine, sides, agreement, 100)
  return block(['$ espalier bench resnet20.onnx --against onnxruntime --threads 1', ...lines].join('\n'))
}

/** `espalier analyze` of the network of quickstart, as it was measured once. */
function analyzeOutput(): string {
  const time = (milliseconds: number, ...kernels: string[]) => ({ milliseconds, kernels })
  const layers: Analysis['layers'] = [
    {
      ...{ node: 'conv1', op: 'Conv', weight: 'conv1.weight', shape: [16, 1, 3, 3], macs: 3612672 },
      ...{ form: 'float32', sparsity: 0, bytes: 576, now: time(0.198, 'conv_f32'), imposed: [null] },
    },
    {
      ...{ node: 'conv2', op: 'Conv', weight: 'conv2.weight', shape: [32, 16, 3, 3], macs: 28901376 },
      ...{ form: 'float32', sparsity: 0.75, bytes: 18432, now: time(0.388, 'winograd_f32') },
      imposed: [{ form: 'float32', sparsity: 0.95, bytes: 627, ...time(0.469, 'sparse_f32') }],
    },
    {
      ...{ node: 'head', op: 'Gemm', weight: 'head.weight', shape: [10, 1568], macs: 501760 },
      ...{ form: 'float32', sparsity: 0.75, bytes: 62720, now: time(0.0121, 'sparse_f32') },
      imposed: [{ form: 'float32', sparsity: 0.95, bytes: 2131, ...time(0.0091, 'sparse_f32') }],
    },
  ]
  const analysis: Analysis = {
    ...{ backend: 'native', isa: 'avx2', threads: 1, skipped: [] },
    ...{ milliseconds: 0.752, layers, now: { milliseconds: 0.598, bytes: 81728 } },
    imposed: [{ name: '0.95', layers: { milliseconds: 0.676, bytes: 3334 }, milliseconds: 0.83 }],
  }
  const lines = describeAnalysis(analysis, { all: false, width: 110 })
  return block(
    ['$ espalier analyze tiny.onnx --impose 0.95 --symbol batch=32 --threads 1', ...lines].join('\n'),
  )
}

/** `espalier profile` of the network of quickstart, as it was measured once. */
function profileOutput(): string {
  const peaks = { flops: 85.9e9, bytes: 18.9e9 }
  const rows = [
    { kind: 'conv_f32', nodes: ['conv1'], seconds: 0.000264, flops: 7225344, bytes: 1706560 },
    { kind: 'pool_f32', nodes: ['maxpool_1'], seconds: 0.000207, flops: 401408, bytes: 2007040 },
    { kind: 'conv_f32', nodes: ['conv2'], seconds: 0.000802, flops: 57802752, bytes: 1222656 },
    { kind: 'pool_f32', nodes: ['maxpool_2'], seconds: 4.67e-5, flops: 200704, bytes: 1003520 },
    { kind: 'copy', nodes: ['maxpool_2_transpose'], seconds: 2.43e-5, flops: 0, bytes: 401408 },
    { kind: 'gemm_f32', nodes: ['head'], seconds: 2.71e-5, flops: 1003520, bytes: 264704 },
    { kind: 'softmax_f32', nodes: ['softmax_1'], seconds: 3.17e-6, flops: 4160, bytes: 2560 },
  ]
  const lines = describeProfile({ rows, seconds: 0.0014 }, peaks, { by: 'node', all: false, width: 100 })
  return block(['$ espalier profile tiny.onnx --symbol batch=32 --threads 1', ...lines].join('\n'))
}

/** Does something while timed models take these milliseconds. */
async function timed(milliseconds: readonly number[], work: () => Promise<string>): Promise<string> {
  measuredOnce = milliseconds
  return work()
}

test('the page about the command line is current', async () => {
  const rows = fromNumbers('float32', [100, 1, 28, 28], normal(randomKey(5), 100 * 28 * 28))
  await writeTensors(path('pictures.npz'), new Map([['image', rows]]))
  const examples: Readonly<Record<string, string>> = {
    quickstart: await timed(quickstartTimes, () => transcript('quickstart --output tiny.onnx')),
    inspect: await transcript('inspect tiny.onnx'),
    analyze: analyzeOutput(),
    compress: await transcript(
      'compress tiny.onnx --sparsity 0.9 --quantize int8-weights --keep-last -o small.espalier',
    ),
    evaluate: await timed(evaluateTimes, () =>
      transcript('evaluate small.espalier --data pictures.npz --against tiny.onnx --threads 1'),
    ),
    run: await transcript(
      'run tiny.onnx --random --top 3 --output classes.npz',
      'inspect classes.npz --tensor classes',
    ),
    bench: benchOutput(),
    profile: profileOutput(),
    convert: await transcript('convert tiny.onnx head.npy --tensor head.weight'),
    doctor: doctorOutput(),
  }
  expect(Object.keys(examples)).toEqual(commands.map(({ name }) => name))
  const sections = commands.map(
    command =>
      `## espalier ${command.name}\n\n${block(commandHelp(command))}\n\nFor instance:\n\n${examples[command.name]}`,
  )
  const page = `# Command line

This page is written by \`npm run docs\` from the commands themselves.

${block(generalHelp(commands))}

* Results go to standard output, everything else to standard error: remarks, warnings, progress, errors.
* \`--json\` prints the result as one JSON value and nothing else. An error is \`{ "error": { "code", "message", "where", ... } }\`;
  warnings are in \`warnings\`. NaN and infinities are text, as are integers beyond 2^53. Of arrays of more than
  ${MOST_JSON_ELEMENTS} elements only the first are written, and \`truncated\` is true.
* On a terminal, tables are fitted to its width: long names are shortened in the middle, then columns left out. Elsewhere
  nothing is shortened. Colours follow the terminal, \`NO_COLOR\` and \`FORCE_COLOR\`.
* What takes more than a second shows a bar on a terminal and a line every five seconds elsewhere.
* Files are written beside their place and renamed: an old file stays whole until the new one is complete.
* Nothing is sent anywhere and nothing is downloaded.

Every command is a function of the library: \`inspect\`, \`session\` (run, explain, profile), \`benchmark\`, \`measurePeaks\`,
\`analyze\`, \`compress\`, \`evaluate\`, \`convert\`, \`readFeeds\`, \`randomFeeds\`, \`diagnose\`.

${sections.join('\n\n')}
`
  await expect(page).toMatchFileSnapshot(join(import.meta.dirname, '../../../../docs/cli.md'))
})
