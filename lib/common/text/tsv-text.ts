/** Escapes text for a field of TSV. */

const ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

export function escapeTsv(text: string): string {
  return text.replace(/[\\\t\n\r]/g, (char) => ESCAPES[char] ?? char);
}
