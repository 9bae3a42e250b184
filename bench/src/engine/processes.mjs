// The measuring processes as functions that answer.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const child = join(import.meta.dirname, 'child.mjs')
/** A process that does not answer for so long is given up. */
const LONGEST_ANSWER_MS = 600_000

/** Starts a process in which a runtime holds a model, ready to run. Throws what opening it throws. */
export async function startServer(runtime, model, feeds, threads) {
  const started = fork(child, ['serve', runtime, model, feeds, `${threads}`])
  const ask = async message => {
    if (message !== undefined) started.send(message)
    return answer(started)
  }
  const stop = async () => {
    if (started.exitCode !== null || started.signalCode !== null) return
    started.kill('SIGKILL')
    await once(started, 'exit')
  }
  try {
    await ask()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    /** Milliseconds of runs made during about `milliseconds`. */
    run: async milliseconds => (await ask({ run: milliseconds })).times,
    /** Runs once and writes the outputs to a file. */
    save: async file => void (await ask({ save: file })),
    stop,
  }
}

/**
 * A process that loads a runtime, opens a model, runs it a few times and ends: milliseconds to load the runtime
 * (`load`), to make the session (`create`), to have the first result after loading (`ready`), peak memory in bytes.
 */
export async function runCold(runtime, model, feeds, threads) {
  const started = fork(child, ['cold', runtime, model, feeds, `${threads}`])
  const result = await answer(started)
  if (started.exitCode === null && started.signalCode === null) await once(started, 'exit')
  return result
}

/** The next message of a process. Throws when it is an error, when the process ends instead, or takes for ever. */
function answer(process) {
  return new Promise((resolve, reject) => {
    const patience = setTimeout(() => {
      process.kill('SIGKILL')
      finish(reject, new Error(`no answer within ${LONGEST_ANSWER_MS / 60_000} minutes`))
    }, LONGEST_ANSWER_MS)
    const finish = (settle, value) => {
      clearTimeout(patience)
      process.off('message', onMessage)
      process.off('exit', onExit)
      settle(value)
    }
    const onMessage = message =>
      message.error === undefined ? finish(resolve, message) : finish(reject, new Error(message.error))
    const onExit = (code, signal) =>
      finish(reject, new Error(`the process ended with ${signal ?? `code ${code}`}`))
    process.on('message', onMessage)
    process.on('exit', onExit)
  })
}
