/** Attacks on the embedded engine by an analyst, a web page and an administrator, which must all fail. */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { literal } from '../../lib/common/text/sql-literal.ts';
import { rowsOf, startTestEngine, type TestEngine } from '../testing/engine.ts';

let t: TestEngine;
let data: string;

beforeAll(async () => {
  t = await startTestEngine();
  data = join(t.directory, 'data/clickhouse/data');
});

afterAll(() => t[Symbol.asyncDispose]());

interface RequestParts {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

function request({ path = '/', ...init }: RequestParts): Promise<Response> {
  return fetch(`http://${t.engine.httpAddress}${path}`, { method: 'POST', ...init });
}

/** Headers that a page of another site can send without a preflight and without credentials. */
const FROM_A_PAGE = { 'Content-Type': 'text/plain', Origin: 'http://evil.example' };

const basic = (user: string, password: string): Record<string, string> => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

const asAnalyst = (): Record<string, string> => basic('analyst', t.engine.passwords.analyst);

describe('without a password every request is rejected', () => {
  test.each([
    'SYSTEM STOP LISTEN HTTP',
    'SYSTEM STOP LISTEN TCP',
    'SYSTEM SHUTDOWN',
    'SELECT 1',
    "SELECT * FROM bigtrace(traces=['/local/a'], sql='@;;end')",
  ])('%s', async (body) => {
    const users = ['', 'default', 'admin', 'analyst', 'bigtrace_bridge', 'bigtrace_backend'];
    for (const user of [...users, 'bigtrace_catalog', 'bigtrace_canceller', 'bigtrace_definer'])
      for (const headers of [
        { ...FROM_A_PAGE, ...(user === '' ? {} : basic(user, '')) },
        { ...FROM_A_PAGE, ...(user === '' ? {} : { 'X-ClickHouse-User': user }) },
      ])
        expect([401, 403]).toContain((await request({ headers, body })).status);
    expect(await rowsOf(t.as('analyst'), 'SELECT 1')).toEqual([[1]]);
  });

  test('a restarted engine rejects requests without a password as well', async () => {
    await t.restart();
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => request({ headers: FROM_A_PAGE, body: 'SELECT 1' })),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([401]));
  });

  test('the native protocol rejects logins without a password', async () => {
    for (const user of ['default', 'analyst'])
      expect(await handshake(user)).toContain('Authentication failed');
    await expect(t.as('analyst').ping()).resolves.toEqual({ success: true });
  });

  test.each(['/ping', '/replicas_status', '/play', '/dashboard', '/binary'])(
    '%s reveals nothing, and pages of other sites cannot read it',
    async (path) => {
      const response = await request({
        path,
        method: 'GET',
        headers: { Origin: 'http://evil.example' },
      });
      expect(response.headers.get('access-control-allow-origin')).toBe(null);
      expect(await response.text()).not.toContain(t.directory);
    },
  );

  test('the web terminal is disabled', async () => {
    const response = await request({ path: '/webterminal', method: 'GET' });
    expect(response.status).not.toBe(200);
  });
});

describe('pages of other sites cannot read responses', () => {
  const settings = [
    'add_http_cors_header=1',
    `http_response_headers=${encodeURIComponent("{'Access-Control-Allow-Origin':'http://evil.example'}")}`,
  ];
  test.each(['analyst', 'admin'] as const)('%s', async (user) => {
    for (const setting of settings) {
      const headers = { ...FROM_A_PAGE, ...basic(user, t.engine.passwords[user]) };
      const response = await request({ path: `/?${setting}`, headers, body: 'SELECT 1' });
      expect(response.headers.get('access-control-allow-origin')).toBe(null);
    }
  });

  test('a preflight allows nothing', async () => {
    const response = await request({
      method: 'OPTIONS',
      headers: { ...FROM_A_PAGE, 'Access-Control-Request-Method': 'POST' },
    });
    expect([...response.headers.keys()].filter((name) => /^access-control/.test(name))).toEqual([]);
  });
});

describe('analyst cannot create files', () => {
  const places = (): string[] =>
    [
      'metadata',
      'metadata/bigtrace',
      'user_defined',
      'flags',
      '.',
      '../etc',
      '../etc/users.d',
      '../..',
    ].map((place) => join(data, place));

  test('with sqlite()', async () => {
    for (const place of places()) {
      const path = join(place, 'zz.xml');
      await expect(rowsOf(t.as('analyst'), `SELECT * FROM sqlite('${path}', 't')`)).rejects.toThrow(
        /Cannot access sqlite|Not enough/,
      );
      expect(existsSync(path)).toBe(false);
    }
  });

  test.each([
    [
      'output_format_schema',
      'SELECT 1 AS a FORMAT Protobuf',
      ', format_protobuf_use_autogenerated_schema = 1',
    ],
    [
      'output_format_schema',
      'SELECT 1 AS a FORMAT CapnProto',
      ', format_capn_proto_use_autogenerated_schema = 1',
    ],
    ['input_format_record_errors_file_path', 'SELECT 1', ''],
  ])('with the setting %s in %s', async (setting, query, more) => {
    for (const profile of ['', "profile = 'default', ", "profile = 'bigtrace_rows', "])
      for (const place of places()) {
        const path = join(place, 'zz.proto');
        const body = `${query} SETTINGS ${profile}${setting} = '${path}'${more}`;
        const response = await request({ headers: asAnalyst(), body });
        expect(await response.text()).toMatch(/should not be changed|Not enough privileges/);
        expect(existsSync(path)).toBe(false);
      }
  });

  test('and the engine still starts afterwards', async () => {
    await t.restart();
    expect(await rowsOf(t.as('analyst'), 'SELECT 1')).toEqual([[1]]);
  });
});

describe('file() cannot read the rows of tables', () => {
  const create = (name: string): string =>
    `CREATE TABLE bigtrace_results.${name} (a UInt64, b String CODEC(NONE)) ENGINE = MergeTree ORDER BY a
     AS SELECT number AS a, concat('in the clear ', toString(number)) AS b FROM numbers(1000)`;

  /** Names of the engine's files that contain the text, as read by the analyst. */
  const filesWith = async (text: string): Promise<string[]> => {
    const names = readdirSync(data, { recursive: true, encoding: 'utf8' });
    const files = names.filter((name) => statSync(join(data, name)).isFile());
    expect(files.length).toBeGreaterThan(0);
    const analyst = t.as('analyst'); // one client, whose requests are fewer than the bound on queries
    const listed = await Promise.all(
      files.map(async (name) => {
        const has = `SELECT position(file({path:String}), {text:String}) > 0`;
        const query_params = { path: join(data, name), text };
        const rows = await analyst
          .query({ query: has, query_params, format: 'JSONCompactEachRow' })
          .then((response) => response.json<unknown[]>());
        return (rows as unknown[][])[0]?.[0] === 1 ? [name] : [];
      }),
    );
    return listed.flat();
  };

  test('of a new table, nor the encryption key', async () => {
    await t.as('admin').command({ query: create('secret') });
    expect(await filesWith('in the clear')).toEqual([]);
    const key = readFileSync(join(t.directory, 'data/tables.key'), 'utf8').trim();
    expect(await filesWith(key)).toEqual([]);
    const query = `SELECT file('${join(t.directory, 'data/tables.key')}')`;
    await expect(rowsOf(t.as('analyst'), query)).rejects.toThrow('Permission denied');
  });

  test('of a table of an earlier version, which is encrypted without losing rows', async () => {
    const config = join(t.dist, 'clickhouse/embedded/config.xml');
    const now = readFileSync(config, 'utf8');
    const earlier = now.replace(/<storage_configuration>.*<\/storage_configuration>/s, '');
    await t.as('admin').command({ query: 'DROP TABLE bigtrace_results.secret SYNC' });
    writeFileSync(config, earlier);
    await t.restart();
    await t.as('admin').command({ query: create('old') });
    expect(await filesWith('in the clear')).not.toEqual([]);
    writeFileSync(config, now);
    await t.restart();
    const all = 'SELECT count(), min(b) FROM bigtrace_results.old';
    expect(await rowsOf(t.as('analyst'), all)).toEqual([['1000', 'in the clear 0']]);
    await expect.poll(() => filesWith('in the clear'), { timeout: 30_000 }).toEqual([]);
  });
});

test('damaged configuration is written again at the start', async () => {
  writeFileSync(join(data, '../etc/users.d/zz.xml'), '');
  writeFileSync(join(data, '../etc/config.d/zz.xml'), '<');
  await t.restart();
  expect(readdirSync(join(data, '../etc/users.d'))).toEqual([
    'bigtrace.xml',
    'default.xml',
    'embedded.xml',
  ]);
});

describe('file() cannot read', () => {
  test.each([
    ...[
      '/proc/self/maps',
      '/proc/self/environ',
      '/proc/thread-self/maps',
      '/proc/1/environ',
      '/proc/self/mem',
    ],
    ...['/dev/ptmx', '/dev/kmsg', '/dev/tty', '/dev/mem', '/etc/shadow', '/etc/passwd'],
  ])('%s', async (path) => {
    for (const user of ['analyst', 'admin'])
      await expect(rowsOf(t.as(user), `SELECT length(file('${path}'))`)).rejects.toThrow(
        /Permission denied|doesn't exist|No such/,
      );
  });

  test('the shared memory of another program', async () => {
    const path = `/dev/shm/bigtrace-${process.pid}`;
    writeFileSync(path, 'secret', { mode: 0o600 });
    try {
      await expect(rowsOf(t.as('analyst'), `SELECT file('${path}')`)).rejects.toThrow(
        'Permission denied',
      );
    } finally {
      rmSync(path);
    }
  });

  test('a log of the engine, because its directory contains none', async () => {
    const names = readdirSync(join(data, '..'), { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => name.endsWith('.log'))).toEqual([]);
  });

  test('except the devices that programs need', async () => {
    const read = "SELECT length(file('/dev/null'))";
    expect(await rowsOf(t.as('analyst'), read)).toEqual([['0']]);
  });
});

describe('admin cannot', () => {
  const dictionary = (source: string): string =>
    `CREATE DICTIONARY bigtrace.shell (a UInt64, b String) PRIMARY KEY a SOURCE(${source})
     LAYOUT(FLAT()) LIFETIME(0)`;

  test.each([
    dictionary("EXECUTABLE(COMMAND 'id' FORMAT 'TSV')"),
    dictionary("EXECUTABLE_POOL(COMMAND 'id' FORMAT 'TSV' SIZE 1)"),
    dictionary("FILE(PATH '/etc/passwd' FORMAT 'TSV')"),
    "INSERT INTO FUNCTION file('metadata/bigtrace/shell.sql', LineAsString, 'a String') VALUES ('ATTACH')",
    "CREATE TABLE bigtrace.f (a String) ENGINE = File(LineAsString, '/tmp/f')",
  ])('run a program or write a file: %s', async (query) => {
    await expect(t.as('admin').command({ query })).rejects.toThrow(/Not enough privileges/);
  });

  test("leave the engine's data directory with the programs that it executes", async () => {
    const outside = join(t.directory, 'outside');
    mkdirSync(outside);
    const victim = spawn('sleep', ['1000']);
    writeFileSync(join(outside, 'kept'), 'kept');
    const tried = [
      `rm ${outside}/kept`,
      `: >${outside}/kept`,
      `mkdir ${outside}/directory`,
      `ln -s /etc/passwd ${outside}/link`,
      `ln ${outside}/kept ${data}/hard`,
      `mkfifo ${data}/fifo`,
      `mknod ${data}/device c 1 3`,
      `ln -s /etc/passwd /dev/shm/bigtrace-${process.pid}`,
      `kill -9 ${victim.pid}`,
      `cp /bin/true ${data}/program && ${data}/program`,
      `cat /proc/${process.pid}/environ`,
      `ls ${t.directory}/data`,
    ];
    const commands = tried.map((one) => `(${one}) && echo "${one}" >>${data}/done`).join('; ');
    const sql = literal(`@a Nullable(Int64);;(${commands}) 2>/dev/null; end`);
    try {
      await rowsOf(t.as('admin'), `SELECT * FROM bigtrace(traces=['/local/a'], sql=${sql})`);
      expect(existsSync(join(data, 'done')) ? readFileSync(join(data, 'done'), 'utf8') : '').toBe(
        '',
      );
      expect(readFileSync(join(outside, 'kept'), 'utf8')).toBe('kept');
      expect(readdirSync(outside)).toEqual(['kept']);
      expect(victim.exitCode ?? victim.signalCode).toBe(null);
    } finally {
      victim.kill('SIGKILL');
    }
  });
});

describe('analyst', () => {
  const slow = 'SELECT sleepEachRow(0.1) FROM numbers(600) SETTINGS max_block_size = 1';

  test('sees and cancels only their own queries', async () => {
    const [own, other] = ['own', 'other'].map((name) => `${name}-${crypto.randomUUID()}`);
    const running = [
      rowsOf(t.as('analyst'), slow, { queryId: String(own) }),
      rowsOf(t.as('admin'), slow, { queryId: String(other) }),
    ].map((response) => response.then(() => 'it ended', String));
    const listed =
      "SELECT query_id FROM system.processes WHERE query LIKE 'SELECT sleepEachRow%' ORDER BY 1";
    while ((await rowsOf(t.as('admin'), listed)).length < 2);
    expect(await rowsOf(t.as('analyst'), listed)).toEqual([[own]]);
    const kill = (id: unknown): Promise<unknown[][]> =>
      rowsOf(t.as('analyst'), `KILL QUERY WHERE query_id = '${id}' SYNC`);
    expect(await kill(other)).toEqual([]);
    expect(await kill(own)).toHaveLength(1);
    expect(await running[0]).toContain('cancelled');
    expect(await rowsOf(t.as('admin'), listed)).toEqual([[other]]);
    await t.as('admin').command({ query: `KILL QUERY WHERE query_id = '${other}' SYNC` });
    expect(await running[1]).toContain('cancelled');
  });

  test('gets integers that no JSON parser rounds, and infinities instead of null', async () => {
    const body = `SELECT 9223372036854775807 AS i, -9223372036854775808 AS j, toUInt64(18446744073709551615) AS u,
      inf AS p, -inf AS m, nan AS n FORMAT JSONEachRow`;
    for (const user of ['analyst', 'admin'] as const) {
      const response = await request({ headers: basic(user, t.engine.passwords[user]), body });
      expect(JSON.parse(await response.text())).toEqual({
        ...{ i: '9223372036854775807', j: '-9223372036854775808', u: '18446744073709551615' },
        ...{ p: 'inf', m: '-inf', n: 'nan' },
      });
    }
  });
});

test('files of the engine are accessible only to their owner', () => {
  const names = readdirSync(join(data, '..'), { recursive: true, encoding: 'utf8' });
  const open = names.filter((name) => {
    const stat = statSync(join(data, '..', name), { throwIfNoEntry: false });
    return stat !== undefined && (stat.mode & 0o077) !== 0;
  });
  expect(open).toEqual([]);
});

/** Returns the server's response to the native protocol's first packet, sent without a password. */
async function handshake(user: string): Promise<string> {
  const [host = '', port = ''] = t.engine.tcpAddress.split(':');
  const text = (value: string): Buffer => Buffer.from([value.length, ...Buffer.from(value)]);
  const revision = [0xb3, 0xa9, 0x03]; // 54451
  const version = Buffer.from([21, 8, ...revision]);
  const socket = connect(Number(port), host);
  socket.write(
    Buffer.concat([Buffer.of(0), text('test'), version, text(''), text(user), text('')]),
  );
  let received = '';
  for await (const chunk of socket) received += String(chunk);
  return received;
}
