// A process that measures one runtime on one model. Started by engine.mjs, in two ways:
//
// * `serve`: opens the model and does what it is told by messages: `{ save: FILE }` runs once and writes the outputs,
//   `{ run: MILLISECONDS }` runs for about that long and answers with the time of each run.
// * `cold`: opens the model, runs it once more than once, tells how long that took and how much memory, and ends.
import { readFileSync } from 'node:fs'
import { readTensors, writeTensors } from '../tensors.mjs'
import { loadRuntime } from './runtimes.mjs'

/** Runs of a cold process: the second one may need memory that the first did not. */
const COLD_RUNS = 3
/** A run that takes longer needs no other before it to be warm. */
const LONG_RUN_MS = 100

const [mode, runtime, file, feedsFile, threads] = process.argv.slice(2)

try {
  await { serve, cold }[mode]()
} catch (error) {
  process.send({ error: error?.message ?? String(error) })
  process.exitCode = 1
  process.disconnect()
}

async function serve() {
  const open = await loadRuntime(runtime)
  const model = await open(file, { threads: Number(threads) })
  const run = model.bind(readTensors(feedsFile))
  let last = 0
  process.send({ ready: true })
  process.on('message', async message => {
    try {
      if (message.save !== undefined) {
        writeTensors(message.save, model.tensors(await run()))
        process.send({ saved: true })
      } else {
        if (last < LONG_RUN_MS) await run()
        const times = await timeRuns(run, message.run)
        last = times.at(-1)
        process.send({ times })
      }
    } catch (error) {
      process.send({ error: error?.message ?? String(error) })
    }
  })
}

/** Milliseconds of each of as many runs as fit into `budget` milliseconds, at least one. */
async function timeRuns(run, budget) {
  const times = []
  const start = performance.now()
  do {
    const before = performance.now()
    await run()
    times.push(performance.now() - before)
  } while (performance.now() - start < budget)
  return times
}

async function cold() {
  const feeds = readTensors(feedsFile)
  const start = performance.now()
  const open = await loadRuntime(runtime)
  const loaded = performance.now()
  const base = peakMemory()
  const model = await open(file, { threads: Number(threads) })
  const created = performance.now()
  const run = model.bind(feeds)
  await run()
  const first = performance.now()
  for (let i = 1; i < COLD_RUNS; i++) await run()
  process.send({
    load: loaded - start,
    create: created - loaded,
    ready: first - loaded,
    peak: peakMemory(),
    grown: peakMemory() - base,
    ...model.held?.(),
  })
  process.disconnect()
}

/** Peak resident size in bytes. `ru_maxrss` would count the parent's memory at the time of the fork. */
function peakMemory() {
  const status = process.platform === 'linux' ? readFileSync('/proc/self/status', 'utf8') : ''
  const kibibytes = /VmHWM:\s*(\d+)/.exec(status)?.[1] ?? process.resourceUsage().maxRSS
  return Number(kibibytes) * 1024
}
