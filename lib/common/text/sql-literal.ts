/** Quotes text for ClickHouse's SQL. */

const ESCAPES: Record<string, string> = { '\\': '\\\\', "'": "\\'", '\0': '\\0' };

/** Returns a string literal. Bytes that are not UTF-8 (byte-text.ts) keep their value. */
export function literal(text: string): string {
  return `'${text.replace(/[\\'\0]|[\udc80-\udcff]/gu, (char) => ESCAPES[char] ?? byteEscape(char))}'`;
}

function byteEscape(char: string): string {
  return `\\x${(char.charCodeAt(0) - 0xdc00).toString(16)}`;
}
