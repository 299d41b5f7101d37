/** Names and values inside ClickHouse's SQL; nothing of the asker's comes into a statement another way. */

const ESCAPES: Record<string, string> = { '\\': '\\\\', "'": "\\'", '`': '\\`', '\0': '\\0' };

export function identifier(name: string): string {
  return `\`${name.replace(/[\\`\0]/g, (char) => ESCAPES[char] ?? char)}\``;
}

export function literal(text: string): string {
  return `'${text.replace(/[\\'\0]/g, (char) => ESCAPES[char] ?? char)}'`;
}

export function arrayLiteral(texts: readonly string[]): string {
  return `[${texts.map(literal).join(', ')}]`;
}
