/** PerfettoSQL for CodeMirror: SQLite with the statements and types that TraceProcessor adds. */
import { SQLDialect, SQLite } from '@codemirror/lang-sql';

const KEYWORDS = 'perfetto include module macro function returns delegates';
const TYPES =
  'long double string bytes timestamp duration joinid argsetid expr tableorsubquery columnname';

export const PERFETTO_SQL = SQLDialect.define({
  ...SQLite.spec,
  keywords: `${SQLite.spec.keywords ?? ''} ${KEYWORDS}`,
  types: `${SQLite.spec.types ?? ''} ${TYPES}`,
  caseInsensitiveIdentifiers: true,
});
