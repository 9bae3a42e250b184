/** Where a command writes: results to standard output, everything else to standard error, in colour where wanted. */
import { styleText } from 'node:util'

export type Style = Parameters<typeof styleText>[0]

export interface Terminal {
  /** Whether the result is to be JSON; then `print` is silent. */
  readonly json: boolean
  /** Writes a line of the result. */
  print(line?: string): void
  /** Writes a line that is not part of the result. */
  note(line: string): void
  /** A line that says something is not as the user may think. */
  warn(line: string): void
  /** Colours text for standard output. */
  style(style: Style, text: string): string
  /** Sets the exit code without stopping. */
  fail(code: number): void
  /** Shows how far something is: a bar on a terminal, a line now and then elsewhere, nothing in the first second. */
  progress(label: string): (done: number, total: number) => void
}

const FIRST_PROGRESS_MS = 1000
const LINE_EVERY_MS = 5000
const BAR_EVERY_MS = 100

export function createTerminal(json: boolean): Terminal {
  const { stdout, stderr } = process
  return {
    json,
    print(line = '') {
      if (!json) stdout.write(`${line}\n`)
    },
    note: line => {
      stderr.write(`${line}\n`)
    },
    warn: line => {
      stderr.write(`${styleText('yellow', 'warning:', { stream: stderr })} ${line}\n`)
    },
    style: (style, text) => styleText(style, text, { stream: stdout }),
    fail: code => {
      process.exitCode = code
    },
    progress(label) {
      const started = performance.now()
      let shown = started
      return (done, total) => {
        const now = performance.now()
        const last = done >= total
        if (now - started < FIRST_PROGRESS_MS) return
        if (stderr.isTTY) {
          if (!last && now - shown < BAR_EVERY_MS) return
          shown = now
          stderr.write(last ? '\r\x1b[2K' : `\r\x1b[2K${label} ${bar(done / total)} ${done}/${total}`)
        } else if (!last && now - shown >= LINE_EVERY_MS) {
          shown = now
          stderr.write(`${label} ${done}/${total}\n`)
        }
      }
    },
  }
}

function bar(fraction: number): string {
  const width = 24
  const filled = Math.round(width * Math.min(1, fraction))
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`
}
