/** The golden files that golden/make.py wrote with PyTorch. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The path of a golden file. */
export function goldenPath(name: string): string {
  return fileURLToPath(new URL(`golden/${name}`, import.meta.url))
}

/** The bytes of a golden file, alone in their buffer. */
export function golden(name: string): Uint8Array {
  return Uint8Array.from(readFileSync(goldenPath(name)))
}

/** Bytes from text in which each character is a byte. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, char => char.charCodeAt(0))
}
