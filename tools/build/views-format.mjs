/**
 * The format in which the views' bridge writes rows: Native, or, in a run of tests (test/config/tsv.config.ts), TSV with an
 * end mark, for whoever has views of their own over it.
 */
export function viewsFormat() {
  return process.env.BIGTRACE_VIEWS_FORMAT === 'CustomSeparated' ? 'CustomSeparated' : 'Native';
}
