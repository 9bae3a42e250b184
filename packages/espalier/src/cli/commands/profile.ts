/** `espalier profile`: where the time of a run goes, and how close that is to what the machine can do. */
import { locateAsync } from '../../errors.ts'
import { load } from '../../model.ts'
import { measurePeaks } from '../../runtime/peaks.ts'
import { session } from '../../runtime/session.ts'
import { integerOption } from '../arguments.ts'
import { type Command, command, type Invocation, usage } from '../command.ts'
import { describeEngine, engineForJSON, engineOptions, readEngineOptions } from '../engine-options.ts'
import { feedOptions, makeFeeds, readSeed } from '../feeds.ts'
import { describeProfile, rooflineShare } from '../reports/profile.ts'
import { bytes } from '../text.ts'

export const profile: Command = command({
  name: 'profile',
  summary:
    'Show where the time of a run goes, step by step, and how close that is to what the machine can do',
  positionals: ['MODEL'],
  options: {
    by: {
      type: 'string',
      value: 'WHAT',
      doc: 'node: a row for every step, when left out; kind: one for all steps of a kind',
    },
    all: { type: 'boolean', short: 'a', doc: 'Every step, and not only those that take longest' },
    runs: {
      type: 'string',
      short: 'n',
      value: 'N',
      doc: 'Runs of which the medians are taken; 10 when left out',
    },
    ...engineOptions,
    ...feedOptions,
  },
  examples: [
    { line: 'profile model.onnx', doc: 'the slowest steps of a run on random inputs' },
    { line: 'profile model.onnx --by kind --threads 1', doc: 'time by kind of kernel, on one thread' },
    { line: 'profile model.onnx --symbol batch=16 --all --json', doc: 'everything, for a program' },
  ],
  notes:
    'Inputs without a file get random numbers, as with --random. roofline is the share of the speed that arithmetic and ' +
    'memory of this machine allow, as measured by the kernels in the third of a second before; what lies in a cache can be above 100 %, ' +
    'and so can 8-bit arithmetic, since the measure is float32. Threads meet around every step here: a run takes less.',
  async run(invocation) {
    const { positionals, flag, terminal } = invocation
    const file = positionals[0]!
    const seed = readSeed(invocation)
    const engine = readEngineOptions(invocation)
    const runs = integerOption(invocation, 'runs', 1, 1_000_000) ?? 10
    const by = groupOption(invocation)
    const graph = await load(file, { onRead: terminal.progress(`reading ${file}`, bytes) })
    return locateAsync({ file }, async () => {
      using opened = await session(graph, { ...engine, seed })
      const feeds = await makeFeeds(graph, invocation, { random: true })
      const found = opened.profile(feeds, { runs })
      const { backend, isa, threads } = opened
      const peaks = await measurePeaks({ backend, threads, ...(isa && { isa }) })
      const view = { by, all: flag('all'), width: terminal.width }
      for (const line of describeProfile(found, peaks, view)) terminal.print(line)
      terminal.note(`profiled on the ${describeEngine(opened)}`)
      return {
        file,
        ...engineForJSON(opened),
        peaks: { flops: peaks.flops, bytes: peaks.bytes },
        milliseconds: found.seconds * 1000,
        steps: found.rows.map(({ seconds, ...row }) => {
          const roofline = rooflineShare([{ ...row, seconds }], peaks)
          return { ...row, milliseconds: seconds * 1000, ...(roofline !== undefined && { roofline }) }
        }),
      }
    })
  },
})

function groupOption({ text }: Invocation): 'node' | 'kind' {
  const by = text('by') ?? 'node'
  if (by === 'node' || by === 'kind') return by
  throw usage(`--by: steps are not grouped by "${by}"`, undefined, 'node, kind')
}
