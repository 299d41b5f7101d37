/** Quotes names and values for ClickHouse SQL. All client input enters statements through these functions. */

import { literal } from '../../lib/common/text/sql-literal.ts';

export { literal } from '../../lib/common/text/sql-literal.ts';

const ESCAPES: Record<string, string> = { '\\': '\\\\', '`': '\\`', '\0': '\\0' };

export function identifier(name: string): string {
  return `\`${name.replace(/[\\`\0]/g, (char) => ESCAPES[char] ?? char)}\``;
}

export function arrayLiteral(texts: readonly string[]): string {
  return `[${texts.map(literal).join(', ')}]`;
}

const UNESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', '0': '\0' };

/** Parses a table structure in which all names are quoted: `` `name` Type, … ``. */
export function structureColumns(structure: string): { name: string; type: string }[] {
  return [...structure.matchAll(/`([^`\\]*(?:\\.[^`\\]*)*)` ([^,`]+)/gs)].map(
    ([, name = '', type = '']) => ({
      name: name.replace(/\\(.)/gs, (_, char: string) => UNESCAPES[char] ?? char),
      type,
    }),
  );
}
