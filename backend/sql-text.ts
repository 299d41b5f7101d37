/** Names and values inside ClickHouse's SQL; nothing of the asker's comes into a statement another way. */

const ESCAPES: Record<string, string> = { '\\': '\\\\', "'": "\\'", '`': '\\`', '\0': '\\0' };

export function identifier(name: string): string {
  return `\`${name.replace(/[\\`\0]/g, (char) => ESCAPES[char] ?? char)}\``;
}

/** A byte that is no UTF-8 (common/byte-text.ts) is that byte for ClickHouse, too. */
export function literal(text: string): string {
  return `'${text.replace(/[\\'\0]|[\udc80-\udcff]/gu, (char) => ESCAPES[char] ?? byteEscape(char))}'`;
}

function byteEscape(char: string): string {
  return `\\x${(char.charCodeAt(0) - 0xdc00).toString(16)}`;
}

export function arrayLiteral(texts: readonly string[]): string {
  return `[${texts.map(literal).join(', ')}]`;
}

const UNESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', '0': '\0' };

/** The columns of a table's structure whose names are all quoted: `` `name` Type, … ``. */
export function structureColumns(structure: string): { name: string; type: string }[] {
  return [...structure.matchAll(/`((?:[^`\\]|\\.)*)` ([^,`]+)/gs)].map(
    ([, name = '', type = '']) => ({
      name: name.replace(/\\(.)/gs, (_, char: string) => UNESCAPES[char] ?? char),
      type,
    }),
  );
}
