/** What each client of the matrix does, and the answers that all of them must get. */

const IDLE = '/local/linux/idle.pftrace';
const LINUX = '/local/linux/*';
const call = (traces: string, sql: string): string =>
  `bigtrace(traces = ['${traces}'], sql = '${sql.replaceAll("'", "\\'")}')`;

const NUMBERS =
  'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000000) SELECT x FROM c';
const ENDLESS =
  'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) AS x FROM c';
/** The extremes of an integer, NULL, a blob, and a text that is not UTF-8. */
const VALUES = `SELECT -9223372036854775807 - 1 AS lowest, 9223372036854775807 AS highest, NULL AS absent,
  x'00ff80' AS raw, CAST(x'61ff62' AS TEXT) AS broken`;

const bound = (trace: string, script: string, text: string): string =>
  `SELECT count() FROM bigtrace(traces = [${trace}], sql = ${script}) WHERE text = ${text}`;

/** Clients that hand out bytes ask `values`, the others `values_hex`; those that count themselves ask `rows`. */
export const QUESTIONS = {
  describe: `DESCRIBE (SELECT * FROM ${call(IDLE, "SELECT 1 AS n, 'a' AS text")})`,
  aggregate: `SELECT count() FROM ${call(LINUX, 'SELECT dur FROM sched')}`,
  join: `SELECT count() FROM ${call(LINUX, 'SELECT count(*) AS n FROM slice')} AS a
    JOIN ${call(LINUX, 'SELECT count(*) AS n FROM sched')} AS b USING (_trace_address)`,
  rows: `SELECT dur FROM ${call(LINUX, 'SELECT dur FROM sched')}`,
  error: `SELECT * FROM ${call(IDLE, 'SELECT nix FROM slice')}`,
  bind: {
    sql: bound('{trace:String}', '{script:String}', '{text:String}'),
    percent: bound('%(trace)s', '%(script)s', '%(text)s'),
    colon: bound(':trace', ':script', ':text'),
    question: bound('?', '?', '?'),
    parameters: { trace: IDLE, script: `SELECT 'it''s' AS text`, text: "it's" },
  },
  values: `SELECT lowest, highest, absent, raw, broken FROM ${call(IDLE, VALUES)}`,
  values_hex: `SELECT lowest, highest, absent, lower(hex(raw)) AS raw, lower(hex(broken)) AS broken FROM ${call(IDLE, VALUES)}`,
  stream: `SELECT x FROM ${call(IDLE, NUMBERS)}`,
  endless: `SELECT x FROM bigtrace_as(structure = 'x Int64', traces = ['${IDLE}'], sql = '${ENDLESS}')`,
  running: 'SELECT count() FROM progress',
};

export interface Answers {
  describe: [name: string, type: string][];
  aggregate: string;
  join: string;
  error: string;
  bind: string;
  values: (string | null)[];
  stream: [count: string, sum: string];
  cancel: string;
}

/** The answers, with integers as texts and bytes in hex. `aggregate` and `join` depend on the samples. */
export const ANSWERS = {
  describe: [
    ['_trace_address', 'String'],
    ['n', 'Nullable(Int64)'],
    ['text', 'Nullable(String)'],
  ],
  bind: '1',
  values: ['-9223372036854775808', '9223372036854775807', null, '00ff80', '61ff62'],
  stream: ['1000000', '500000500000'],
  error: /generates stderr: \[\/local\/linux\/idle\.pftrace\]: no such column: nix/,
  cancel: /cancel|closed|abort|KILL|interrupt/i,
} as const;
