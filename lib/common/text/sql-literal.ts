/** Quotes texts and names for ClickHouse's SQL. Whatever enters a statement from outside passes one of these. */

const ESCAPES: Record<string, string> = { '\\': '\\\\', "'": "\\'", '\0': '\\0' };

/** Returns a string literal. Bytes that are not UTF-8 (byte-text.ts) keep their value. */
export function literal(text: string): string {
  return `'${text.replace(/[\\'\0]|[\udc80-\udcff]/gu, (char) => ESCAPES[char] ?? byteEscape(char))}'`;
}

function byteEscape(char: string): string {
  return `\\x${(char.charCodeAt(0) - 0xdc00).toString(16)}`;
}

export function arrayLiteral(texts: readonly string[]): string {
  return `[${texts.map(literal).join(', ')}]`;
}

const NAME_ESCAPES: Record<string, string> = {
  '\\': '\\\\',
  '`': '\\`',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\0': '\\0',
};

/** Returns a quoted name of a column or table, in one line. */
export function identifier(name: string): string {
  return `\`${name.replace(/[\\`\n\r\t\0]/g, (char) => NAME_ESCAPES[char] ?? char)}\``;
}
