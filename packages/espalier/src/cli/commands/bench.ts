/** `espalier bench`: how long a model takes, alone or beside another runtime. */
import { locateAsync } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { load } from '../../model.ts'
import { type BackendName, chooseBackend } from '../../runtime/backends.ts'
import { benchmark, type Side } from '../../runtime/benchmark.ts'
import { largestDifference } from '../../runtime/compare.ts'
import { session } from '../../runtime/session.ts'
import type { RuntimeValue } from '../../tensor/tensor.ts'
import { integerOption } from '../arguments.ts'
import { type Command, command, type Invocation, usage } from '../command.ts'
import { engineForJSON, engineOptions, readEngineOptions } from '../engine-options.ts'
import { feedOptions, makeFeeds, readSeed } from '../feeds.ts'
import { lookAtMachine, warnOfLoad } from '../machine.ts'
import { findPeer, type Peer, type PeerName } from '../onnxruntime.ts'
import { type Agreement, agreementText, describeBenchmark, type Measured } from '../reports/benchmark.ts'
import { bytes } from '../text.ts'

export const bench: Command = command({
  name: 'bench',
  summary: 'Time a model, alone or by turns with onnxruntime, and check that both give the same',
  positionals: ['MODEL'],
  options: {
    against: {
      type: 'string',
      value: 'PEER',
      doc: 'onnxruntime, as it is installed in your project: onnxruntime-node, or onnxruntime-web for --backend wasm',
    },
    runs: { type: 'string', short: 'n', value: 'N', doc: 'Runs that are timed; 50 when left out' },
    ...engineOptions,
    tolerance: {
      type: 'string',
      value: 'X',
      doc: 'Difference at which outputs still agree, relative to the largest number of an output; 0.001 when left out, 0.05 for quantised models',
    },
    ...feedOptions,
  },
  examples: [
    { line: 'bench model.onnx', doc: 'median, 90th percentile and least time of 50 runs on random inputs' },
    {
      line: 'bench model.onnx --against onnxruntime --threads 2',
      doc: 'beside onnxruntime, both on two threads',
    },
    {
      line: 'bench model.onnx --against onnxruntime --backend wasm --threads 1',
      doc: 'as a browser runs them',
    },
    { line: 'bench model.onnx --symbol batch=16 --runs 10 --json', doc: 'a batch of 16, for a program' },
  ],
  notes:
    'Inputs without a file get random numbers, as with --random. Both runtimes live in this process and take turns; a turn ' +
    'begins with a run that is not timed. creation is the time from the file to a session, memory what the process grew ' +
    'by up to the end of the first run. ratio is the median over ours. The exit code is 1 when outputs disagree.',
  async run(invocation) {
    const { positionals, terminal } = invocation
    const file = positionals[0]!
    const seed = readSeed(invocation)
    const engine = readEngineOptions(invocation)
    const runs = integerOption(invocation, 'runs', 1, 1_000_000) ?? 50
    const asked = toleranceOption(invocation)
    const peer = await peerOption(invocation, chooseBackend(engine.backend).name)
    const machine = lookAtMachine()
    return locateAsync({ file }, async () => {
      const before = memoryNow()
      const reading = performance.now()
      const graph = await load(file, { onRead: terminal.progress(`reading ${file}`, bytes) })
      const read = performance.now() - reading
      const feeds = await makeFeeds(graph, invocation, { random: true })
      const opening = performance.now()
      using opened = await session(graph, { ...engine, seed })
      const creation = read + performance.now() - opening
      const [found, first] = await timed(() => opened.run(feeds))
      const { backend, threads } = opened
      const ours = { name: `espalier ${backend}`, creation, first, memory: grownSince(before) }
      const facts = [ours]
      const sides: Side[] = [{ name: ours.name, run: () => opened.run(feeds) }]
      const theirs = peer && (await openPeer(peer, file, threads, feeds))
      try {
        let agreement: Agreement | undefined
        if (theirs !== undefined) {
          facts.push(theirs.facts)
          sides.push({ name: theirs.facts.name, run: theirs.run })
          const tolerance = asked ?? (isQuantized(graph) ? 0.05 : 0.001)
          const difference = largestDifference(found, theirs.found)
          agreement = { ...difference, tolerance, agree: difference.difference <= tolerance }
        }
        const timings = await benchmark(sides, {
          runs,
          rest: REST_MS,
          onProgress: terminal.progress('running'),
        })
        const measured = timings.map((timing, index): Measured => ({ ...timing, ...facts[index]! }))
        for (const line of describeBenchmark(machine, measured, agreement, terminal.width))
          terminal.print(line)
        warnOfLoad(machine, terminal)
        if (agreement?.agree === false) {
          terminal.warn(agreementText(agreement))
          if (isQuantized(graph) && peer?.name === 'onnxruntime-node')
            terminal.note(
              'note: without VNNI, onnxruntime-node adds 8-bit products in 16 bits, which saturate; onnxruntime-web is exact',
            )
          terminal.fail(1)
        }
        return {
          file,
          machine,
          ...engineForJSON(opened),
          runs,
          sides: measured.map(({ times: _, ...rest }) => rest),
          ...(measured[1] && { ratio: measured[1].median / measured[0]!.median }),
          ...(agreement && { agreement }),
          peakMemory: process.resourceUsage().maxRSS * 1024,
        }
      } finally {
        await theirs?.close()
      }
    })
  },
})

/** Before a turn: the threads of the other runtime spin for a while after a run, and must not slow this one down. */
const REST_MS = 60

/** The runtime of `--against`, if given: the one that runs where ours does. Throws `usage`, what {@link findPeer} does. */
async function peerOption({ text }: Invocation, backend: BackendName): Promise<Peer | undefined> {
  const asked = text('against')
  if (asked === undefined) return undefined
  const names: Readonly<Record<string, PeerName>> = {
    onnxruntime: backend === 'wasm' ? 'onnxruntime-web' : 'onnxruntime-node',
    'onnxruntime-node': 'onnxruntime-node',
    'onnxruntime-web': 'onnxruntime-web',
  }
  if (Object.hasOwn(names, asked)) return findPeer(names[asked]!)
  throw usage(`--against: "${asked}" is not known`, undefined, Object.keys(names).join(', '))
}

function toleranceOption({ text }: Invocation): number | undefined {
  const asked = text('tolerance')
  if (asked === undefined) return undefined
  const value = Number(asked)
  if (asked.trim() !== '' && value >= 0 && Number.isFinite(value)) return value
  throw usage(`--tolerance is not a number: "${asked}"`, undefined, 'such as 0.001')
}

/** Opens the peer's session and runs it once. */
async function openPeer(peer: Peer, file: string, threads: number, feeds: ReadonlyMap<string, RuntimeValue>) {
  const before = memoryNow()
  const [opened, creation] = await timed(() => peer.open(file, { threads }))
  const run = opened.bind(feeds)
  const [found, first] = await timed(run)
  const name = `${peer.name} ${peer.version}`
  const facts = { name, creation, first, memory: grownSince(before) }
  return { facts, run, found: opened.outputs(found), close: opened.close }
}

async function timed<T>(work: () => Promise<T>): Promise<[result: T, milliseconds: number]> {
  const started = performance.now()
  const result = await work()
  return [result, performance.now() - started]
}

/** Resident bytes. */
const memoryNow = (): number => process.memoryUsage.rss()

/** Bytes that the process grew by; what was freed meanwhile may hide some. */
const grownSince = (before: number): number => Math.max(0, memoryNow() - before)

/** Whether a model computes with integers for numbers: runtimes round these differently. */
function isQuantized(graph: Graph): boolean {
  return graph.nodes.some(({ op }) => /Quantize|^QLinear|^(MatMul|Conv)Integer$/.test(op))
}
