/** Reads what a module of PerfettoSQL declares, with the comments that document it. */

export interface DeclaredColumn {
  name: string;
  /** As written, without what a JOINID refers to; empty if the engine does not tell. */
  type: string;
  about: string;
}

export interface DeclaredTable {
  name: string;
  isView: boolean;
  about: string;
  column: DeclaredColumn[];
}

export interface DeclaredFunction {
  name: string;
  kind: 'scalar' | 'table' | 'macro';
  about: string;
  argument: DeclaredColumn[];
  /** Type of the result; empty for a table. */
  returns: string;
  /** Columns of the table that a table function returns. */
  column: DeclaredColumn[];
}

export interface Declarations {
  table: DeclaredTable[];
  function: DeclaredFunction[];
}

const DECLARATION = /^CREATE\s+(?:OR\s+REPLACE\s+)?PERFETTO\s+(TABLE|VIEW|FUNCTION|MACRO)\s+(\w+)/i;

/** Returns the tables, views, functions and macros whose names do not begin with `_`, which marks internal ones. */
export function declarationsOf(sql: string): Declarations {
  const found: Declarations = { table: [], function: [] };
  let about: string[] = [];
  for (let at = 0; at < sql.length; ) {
    const newline = sql.indexOf('\n', at);
    const end = newline < 0 ? sql.length : newline;
    const line = sql.slice(at, end);
    if (line.startsWith('--')) about.push(line);
    else {
      const [head, kind = '', name = '_'] = DECLARATION.exec(line) ?? [];
      if (head !== undefined && !name.startsWith('_'))
        declare(
          found,
          { kind: kind.toUpperCase(), name, about: textOf(about) },
          sql,
          at + head.length,
        );
      about = [];
    }
    at = end + 1;
  }
  return found;
}

interface Head {
  kind: string;
  name: string;
  about: string;
}

function declare(found: Declarations, { kind, name, about }: Head, sql: string, at: number): void {
  const list = listAt(sql, at);
  if (kind === 'TABLE' || kind === 'VIEW') {
    found.table.push({ name, isView: kind === 'VIEW', about, column: list.items });
    return;
  }
  const after = sql.slice(list.end).replace(/^(\s|--[^\n]*\n)*/, '');
  const returned = /^RETURNS\s+(\w+)/i.exec(after);
  const returns = returned?.[1] ?? '';
  const isTable = returns.toUpperCase() === 'TABLE';
  found.function.push({
    ...{ name, about, argument: list.items },
    kind: kind === 'MACRO' ? 'macro' : isTable ? 'table' : 'scalar',
    returns: isTable ? '' : returns,
    column: isTable ? listAt(after, returned?.[0].length ?? 0).items : [],
  });
}

/** Reads a list of names with types in parentheses, each documented by the comment in front of it. */
function listAt(sql: string, at: number): { items: DeclaredColumn[]; end: number } {
  const open = /^\s*\(/.exec(sql.slice(at, at + 1000));
  if (open === null) return { items: [], end: at };
  const items: DeclaredColumn[] = [];
  let about: string[] = [];
  let words = '';
  let depth = 0;
  const finish = (): void => {
    const [, name, type = ''] = /^\s*(\w+)\s+(\w+)/.exec(words) ?? [];
    if (name !== undefined) items.push({ name, type, about: textOf(about) });
    about = [];
    words = '';
  };
  let end = at + open[0].length;
  for (; end < sql.length; end++) {
    const char = sql[end];
    if (char === '-' && sql[end + 1] === '-') {
      const newline = sql.indexOf('\n', end);
      const stop = newline < 0 ? sql.length : newline;
      about.push(sql.slice(end, stop));
      end = stop;
    } else if (char === ')' && depth === 0) break;
    else if (char === ',' && depth === 0) finish();
    else {
      if (char === '(') depth += 1;
      if (char === ')') depth -= 1;
      words += char;
    }
  }
  finish();
  return { items, end: end + 1 };
}

/** The text of comment lines; an empty line separates paragraphs. */
function textOf(lines: readonly string[]): string {
  return lines
    .map((line) => line.replace(/^--\s?/, '').trimEnd())
    .join('\n')
    .replace(/(\S)\n(?=[^\s-])/g, '$1 ')
    .trim();
}
