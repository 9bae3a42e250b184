/**
 * The page of docs/demo in Chromium: a small model is built, compressed and timed beside onnxruntime-web. Skips, and says
 * so, without a Chromium or without the packages of the benchmarks, which have onnxruntime-web.
 */
import { join } from 'node:path'
import type { Browser, ConsoleMessage, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findChromium, startChromium } from './browser/chromium.ts'

const library = join(import.meta.dirname, '../src')
const { hasPeer, serveDemo } = (await import('../../../docs/demo/serve.mjs' as string)) as {
  hasPeer(): boolean
  serveDemo(options: { readonly alias: Readonly<Record<string, string>> }): Promise<{
    readonly address: string
    close(): Promise<void>
  }>
}

const executable = findChromium()

describe.skipIf(executable === undefined || !hasPeer())('the page beside onnxruntime-web', () => {
  let server: Awaited<ReturnType<typeof serveDemo>>
  let browser: Browser
  let page: Page
  const errors: string[] = []
  beforeAll(async () => {
    server = await serveDemo({ alias: { 'espalier/onnx': join(library, 'formats/onnx'), espalier: library } })
    browser = await startChromium(executable!)
    page = await browser.newPage()
    page.on('pageerror', error => errors.push(error.message))
    page.on('console', (message: ConsoleMessage) => {
      if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text())
    })
    await page.goto(`${server.address}/?size=tiny`)
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  test('shows times, bytes and agreement of both', async () => {
    await page.fill('#single', '95')
    expect(await page.textContent('#single + output')).toBe('95 %')
    await page.click('#run')
    expect(await page.textContent('#run')).toBe('Stop')
    await page.waitForSelector('#result:not([hidden]), #error:not([hidden])', { timeout: 60_000 })
    expect([await page.textContent('#error'), errors]).toEqual(['', []])
    const rows = await page.$$eval('#rows tr', lines =>
      lines.map(line => [...line.children].map(({ textContent }) => textContent ?? '')),
    )
    expect(rows.map(([engine, model]) => `${engine}: ${model}`)).toEqual([
      'onnxruntime-web: dense, float32',
      'onnxruntime-web: 80 % zeros in fours, int8',
      'Espalier: dense, float32',
      'Espalier: 95 % zeros, float32',
      'Espalier: 80 % zeros in fours, int8',
    ])
    const megabytes = rows.map(([, , file]) => Number.parseFloat(file!))
    expect(megabytes[3]! / megabytes[0]!).toBeLessThan(0.2)
    expect(megabytes[4]! / megabytes[0]!).toBeLessThan(0.2)
    for (const [, , , median, least, gain] of rows) {
      expect(Number.parseFloat(median!)).toBeGreaterThanOrEqual(Number.parseFloat(least!))
      expect(gain).toMatch(/^\d+\.\d\d×$/)
    }
    const differences = rows.map(cells => cells[6]!)
    expect(differences.slice(0, 2)).toEqual(['', ''])
    // Rounding in float32; in 8 bits one that falls the other way is a whole step.
    for (const [at, most] of [1e-4, 1e-4, 0.05].entries())
      expect(Number(differences[2 + at])).toBeLessThan(most)
    expect(await page.textContent('#headline')).toMatch(
      /^\d+ % zeros.*times faster and [\d.]+ times smaller than the dense/,
    )
    expect(await page.textContent('#facts')).toMatch(/kernels wasm.*one thread.*onnxruntime-web.*1\.\d+/s)
  }, 90_000)

  test('stops when it is told to', async () => {
    await page.click('#run')
    await page.waitForSelector('#progress:not([hidden])')
    await page.click('#run')
    expect(await page.textContent('#run')).toBe('Run')
    expect(await page.isVisible('#progress')).toBe(false)
    expect(errors).toEqual([])
  })
})
