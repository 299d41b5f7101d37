/** The tools `describe_traces` and `cite`. */
import { z } from 'zod';
import { arrayLiteral } from '../../lib/common/text/sql-literal.ts';
import { selectedBy } from './selection.ts';
import { type AddTool, linkOf, READS, resultOf, shortRows } from './tool.ts';

const ROWS_SHOWN_MAX = 100;
const CITED_MAX = 100;

/** Columns that the catalog always has, and that tell most about a trace. */
const SHOWN = 'address, size, format, duration, start_time, device, verdict, error_code';

export const addDescribeTraces: AddTool = (server, { access }) => {
  server.registerTool(
    'describe_traces',
    {
      title: 'Describe traces',
      description:
        'Describes the traces of the catalog: its columns, which `where` can use, how many traces an expression selects, ' +
        'their size and times, and some of them. The catalog has the traces that `bigtrace index` has read; traces that ' +
        'it lacks can be queried by their addresses.',
      inputSchema: {
        where: z.string().min(1).max(100_000).optional().describe('a ClickHouse expression'),
        limit: z.number().int().min(0).max(ROWS_SHOWN_MAX).default(10).describe('traces to list'),
      },
      annotations: READS,
    },
    ({ where = '1', limit }, { signal }) =>
      resultOf(async () => {
        const from = selectedBy(where);
        const described = await access.rows('DESCRIBE TABLE bigtrace.traces', { signal });
        const totals = await access.table(
          `SELECT count() AS traces, sum(size) AS bytes, countIf(error_code != '') AS not_loadable,
             toString(min(start_time)) AS first_start, toString(max(start_time)) AS last_start,
             topK(10)(format) AS formats, topK(10)(device) AS devices ${from}`,
          { signal },
        );
        const listed = await access.table(
          `SELECT ${SHOWN} ${from} ORDER BY address LIMIT ${limit}`,
          {
            signal,
          },
        );
        const row = totals.rows[0] ?? [];
        return {
          columns: described.map(([name, type, , , comment]) => ({ name, type, comment })),
          totals: Object.fromEntries(totals.columns.map(({ name }, nth) => [name, row[nth]])),
          listed: { columns: listed.columns.map(({ name }) => name), rows: shortRows(listed.rows) },
        };
      }),
  );
};

export const addCite: AddTool = (server, { access, linkBase }) => {
  server.registerTool(
    'cite',
    {
      title: 'Cite traces',
      description:
        'Returns a link for each trace, which opens it in the Perfetto UI, and what the catalog says of it. Cite a trace ' +
        'for each claim that rests on one.',
      inputSchema: { traces: z.array(z.string().min(1).max(4096)).min(1).max(CITED_MAX) },
      annotations: READS,
    },
    ({ traces }, { signal }) =>
      resultOf(async () => {
        const rows = await access.rows(
          `SELECT address, toString(start_time), toString(duration), device, verdict FROM bigtrace.traces
           WHERE address IN ${arrayLiteral(traces)}`,
          { signal },
        );
        const known = new Map(rows.map(([address, ...rest]) => [address, rest]));
        return {
          citations: traces.map((trace) => {
            const [start, duration, device, verdict] = known.get(trace) ?? [];
            const catalog = known.has(trace) ? { start, duration, device, verdict } : null;
            return { trace, link: linkOf(linkBase, trace), catalog };
          }),
        };
      }),
  );
};
