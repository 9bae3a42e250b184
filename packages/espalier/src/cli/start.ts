/** The command line as a process: its streams, its exit code, and readers that go away early. */
import { defectText, exitCodes, main } from './main.ts'

/** Runs `espalier` with the arguments of this process, and sets the exit code. */
export async function start(): Promise<void> {
  const { stdout, stderr, env } = process
  for (const stream of [stdout, stderr])
    stream.on('error', error => {
      // `espalier ... | head` has seen enough; the command still does its work.
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    })
  process.on('uncaughtException', error => {
    stderr.write(`espalier: ${defectText(error)}\n`)
    process.exit(exitCodes.defect)
  })
  process.exitCode = await main(process.argv.slice(2), { stdout, stderr, env, now: () => performance.now() })
}
