/** Names of tables, functions and modules of the engine, with what its standard library says of them. */
import type { Vocabulary } from '../../http-api/contract/console.ts';

export interface EngineName {
  kind: 'table' | 'function' | 'module';
  name: string;
  description: string;
  /** Columns of a table, and of one that a function returns. */
  columns?: string | undefined;
}

export function engineNames({ modules }: Vocabulary): EngineName[] {
  return modules.flatMap((module) => [
    ...(module.name === ''
      ? []
      : [
          {
            kind: 'module' as const,
            name: module.name,
            description: `INCLUDE PERFETTO MODULE ${module.name}`,
          },
        ]),
    ...module.tables.map(({ name, about, columns }) => ({
      ...{ kind: 'table' as const, name, description: within(about, module.name) },
      columns: declared(columns),
    })),
    ...module.functions.map(({ name, about, args, returns, columns }) => ({
      ...{ kind: 'function' as const, description: within(about, module.name) },
      name: `${name}(${declared(args)})${returns === '' ? '' : ` -> ${returns}`}`,
      columns: declared(columns),
    })),
  ]);
}

function declared(columns: readonly { name: string; type: string }[]): string {
  return columns.map(({ name, type }) => `${name} ${type}`.trimEnd()).join(', ');
}

/** The standard library's prelude needs no INCLUDE. */
function within(about: string, module: string): string {
  if (module === '' || module.startsWith('prelude.')) return about;
  return `${about} (needs INCLUDE PERFETTO MODULE ${module})`;
}
