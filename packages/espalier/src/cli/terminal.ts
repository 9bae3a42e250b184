/**
 * Where a command writes: results to standard output, everything else to standard error, in colour where that is wanted.
 * The streams, the environment and the clock come from outside, so that tests run commands without a process.
 */
import { styleText } from 'node:util'
import { count } from './text.ts'

export type Style = Parameters<typeof styleText>[0]

/** The part of a stream of Node that is used. */
export interface Stream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** What surrounds a command. */
export interface Surroundings {
  readonly stdout: Stream
  readonly stderr: Stream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Milliseconds since some moment. */
  readonly now: () => number
}

/** Tells that `done` of `total` is done. */
export type Progress = (done: number, total: number) => void

export interface Terminal {
  /** Whether the result is to be JSON; then `print` is silent. */
  readonly json: boolean
  /** Characters in a line of standard output; infinite when it is no terminal. */
  readonly width: number
  /** Writes a line of the result. */
  print(line?: string): void
  /** Writes text as it is to standard output, also under `--json`. */
  write(text: string): void
  /** Writes a line that is not part of the result. */
  note(line: string): void
  /** Writes a line that says something is not as the user may think; it is also kept for the JSON result. */
  warn(line: string): void
  /** Colours text for standard output. */
  style(style: Style, text: string): string
  /** Sets the exit code without stopping. */
  fail(code: number): void
  /**
   * Shows how far something is: a bar on a terminal, a line now and then elsewhere or under `--json`, nothing in the
   * first second. `format` writes a number; {@link count} when left out.
   */
  progress(label: string, format?: (value: number) => string): Progress
  /** Takes the bar away. */
  clear(): void
  readonly exitCode: number
  readonly warnings: readonly string[]
}

const FIRST_PROGRESS_MS = 1000
const LINE_EVERY_MS = 5000
const BAR_EVERY_MS = 100

export function createTerminal({ stdout, stderr, env, now }: Surroundings, json: boolean): Terminal {
  const colour = { out: wantsColour(stdout, env), err: wantsColour(stderr, env) }
  const warnings: string[] = []
  let exitCode = 0
  let barShown = false
  const clear = (): void => {
    if (barShown) stderr.write('\r\x1b[2K')
    barShown = false
  }
  const note = (line: string): void => {
    clear()
    stderr.write(`${printable(line)}\n`)
  }
  const paint = (wanted: boolean, style: Style, text: string): string =>
    wanted ? styleText(style, text, { validateStream: false }) : text
  return {
    json,
    width: stdout.isTTY === true ? (stdout.columns ?? 80) : Number.POSITIVE_INFINITY,
    print(line = '') {
      if (json) return
      clear()
      stdout.write(`${printable(line)}\n`)
    },
    write(text) {
      clear()
      stdout.write(text)
    },
    note,
    warn(line) {
      warnings.push(line)
      note(`${paint(colour.err, 'yellow', 'warning:')} ${line}`)
    },
    style: (style, text) => paint(colour.out, style, text),
    fail(code) {
      exitCode = code
    },
    progress(label, format = count) {
      const started = now()
      let shown = started
      return (done, total) => {
        const time = now()
        if (done >= total) clear()
        else if (time - started >= FIRST_PROGRESS_MS) {
          const bar = stderr.isTTY === true && !json
          if (time - shown < (bar ? BAR_EVERY_MS : LINE_EVERY_MS)) return
          shown = time
          const text = `${format(done)} of ${format(total)}`
          if (bar) stderr.write(`\r\x1b[2K${label} ${drawBar(done / total)} ${text}`)
          else stderr.write(`${label}: ${text}\n`)
          barShown = bar
        }
      }
    },
    clear,
    get exitCode() {
      return exitCode
    },
    warnings,
  }
}

/** Whether a stream shows colours, and the user has not asked otherwise (no-color.org, force-color.org). */
function wantsColour({ isTTY }: Stream, env: Surroundings['env']): boolean {
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') return env.FORCE_COLOR !== '0'
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  return isTTY === true && env.TERM !== 'dumb'
}

/**
 * Text with its control characters made visible, line breaks and colours excepted: names come from files, and must not
 * move the cursor or worse.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return text.replace(/\x1b\[\d{1,3}m|[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, found =>
    found.length > 1 ? found : `\\x${found.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

function drawBar(fraction: number): string {
  const width = 24
  const filled = Math.round(width * Math.min(1, fraction))
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`
}
