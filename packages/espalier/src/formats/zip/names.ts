/**
 * Names of zip entries as text: UTF-8 where the entry says so or the bytes are ASCII, otherwise code page 437,
 * the character set of the original format.
 */
import { FLAG_UTF8 } from './records.ts'

/** Characters 128 to 255 of code page 437. */
const CP437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The name, or `undefined` when it is said to be UTF-8 and is not. */
export function decodeName(bytes: Uint8Array, flags: number): string | undefined {
  if ((flags & FLAG_UTF8) === 0)
    return Array.from(bytes, byte => (byte < 128 ? String.fromCharCode(byte) : CP437[byte - 128])).join('')
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
