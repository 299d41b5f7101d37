/** Defines the flag for SQL packages of `bigtrace worker`, and of `bigtrace up`, which passes it to its workers. */
import { Option } from 'commander';

export function sqlPackageOption(): Option {
  return new Option(
    '--sql-package <name=dir,…>',
    'SQL package: directory of .sql files that scripts load with INCLUDE PERFETTO MODULE name.sub.file; may be repeated',
  )
    .env('BIGTRACE_SQL_PACKAGE')
    .argParser((text, previous: string[] = []) => [
      ...previous,
      ...text.split(',').filter((part) => part !== ''),
    ]);
}
