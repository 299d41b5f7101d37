/**
 * The format in which the views' bridge writes rows: Native, or what a run of tests says (vitest.tsv.config.ts), for
 * whoever has views of their own over the bridge's TSV.
 */
export function viewsFormat() {
  return process.env.BIGTRACE_VIEWS_FORMAT === 'TSV' ? 'TSV' : 'Native';
}
