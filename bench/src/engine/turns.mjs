// Two runtimes on one model, by turns: each has a process that holds the model, runs for a moment, then waits while
// the other does, so that both see the same machine.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readTensors } from '../tensors.mjs'
import { largestDifference } from './compare.mjs'
import { startServer } from './processes.mjs'
import { summarize } from './statistics.mjs'

/** How long one side runs before the other has its turn. */
const TURN_MS = 200
/** Between turns: thread pools spin for a while after a run, and that must not slow the other side down. */
const SETTLE_MS = 60

/**
 * Milliseconds of the runs of every side (`{ ours: runtime, peer: runtime }`, or one of them), summarised, and, of
 * two, how much their outputs differ; with `judge`, how much ours differ from those of that runtime on `files.model`.
 * `files` are that model, `ours` and `peer` where they run another form of it, and its `feeds`; `folder` is for outputs.
 */
export async function measureByTurns(sides, files, { threads, rounds, folder, judge }) {
  const servers = new Map()
  try {
    for (const [side, runtime] of Object.entries(sides))
      servers.set(side, await startServer(runtime, files[side] ?? files.model, files.feeds, threads))
    const difference = servers.has('ours') && (await compareOutputs(servers, files, folder, judge))
    const times = new Map([...servers.keys()].map(side => [side, []]))
    for (let round = 0; round < rounds; round++)
      for (const [side, server] of servers) {
        await sleep(SETTLE_MS)
        times.get(side).push(...(await server.run(TURN_MS)))
      }
    const figures = Array.from(times, ([side, list]) => [side, summarize(list)])
    return { ...Object.fromEntries(figures), ...(difference && { difference }) }
  } finally {
    for (const server of servers.values()) await server.stop()
  }
}

/** How much the outputs of ours differ from the peer's, or from those of `judge`, which runs only once. */
async function compareOutputs(servers, files, folder, judge) {
  const ours = await outputsOf(servers.get('ours'), folder)
  if (judge === undefined)
    return servers.has('peer') && largestDifference(ours, await outputsOf(servers.get('peer'), folder))
  const server = await startServer(judge, files.model, files.feeds, 1)
  try {
    return largestDifference(ours, await outputsOf(server, folder))
  } finally {
    await server.stop()
  }
}

async function outputsOf(server, folder) {
  const file = join(folder, 'outputs')
  await server.save(file)
  try {
    return readTensors(file)
  } finally {
    rmSync(file)
  }
}
