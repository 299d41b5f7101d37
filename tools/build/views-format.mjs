/**
 * Returns the format in which the views' bridge writes rows: Native, or in some tests (test/config/tsv.config.ts) TSV
 * with an end mark, which users' own views may use.
 */
export function viewsFormat() {
  return process.env.BIGTRACE_VIEWS_FORMAT === 'CustomSeparated' ? 'CustomSeparated' : 'Native';
}
