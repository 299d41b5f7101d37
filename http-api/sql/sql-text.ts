/** Parses structures of tables. */

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
