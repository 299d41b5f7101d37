/** What a reader, a web page and an administrator tried on the embedded engine, and must not get. */
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
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rowsOf, startTestEngine, type TestEngine } from './testing/engine.ts';

let t: TestEngine;
let data: string;

beforeAll(async () => {
  t = await startTestEngine();
  data = join(t.directory, 'data/clickhouse/data');
});

afterAll(() => t[Symbol.asyncDispose]());

interface Asked {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

function ask({ path = '/', ...init }: Asked): Promise<Response> {
  return fetch(`http://${t.engine.httpAddress}${path}`, { method: 'POST', ...init });
}

/** As a page of another site sends it: no preflight, no credentials. */
const FROM_A_PAGE = { 'Content-Type': 'text/plain', Origin: 'http://evil.example' };

const basic = (user: string, password: string): Record<string, string> => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

const asAnalyst = (): Record<string, string> => basic('analyst', t.engine.passwords.analyst);

describe('without a password nothing is done', () => {
  test.each([
    'SYSTEM STOP LISTEN HTTP',
    'SYSTEM STOP LISTEN TCP',
    'SYSTEM SHUTDOWN',
    'SELECT 1',
    "SELECT * FROM bigtrace(traces=['/local/a'], sql='@;;end')",
  ])('%s', async (body) => {
    const users = ['', 'default', 'admin', 'analyst', 'bigtrace_bridge', 'bigtrace_backend'];
    for (const user of [...users, 'bigtrace_catalog', 'bigtrace_definer'])
      for (const headers of [
        { ...FROM_A_PAGE, ...(user === '' ? {} : basic(user, '')) },
        { ...FROM_A_PAGE, ...(user === '' ? {} : { 'X-ClickHouse-User': user }) },
      ])
        expect([401, 403]).toContain((await ask({ headers, body })).status);
    expect(await rowsOf(t.as('analyst'), 'SELECT 1')).toEqual([[1]]);
  });

  test('an engine that starts again is as closed', async () => {
    await t.restart();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask({ headers: FROM_A_PAGE, body: 'SELECT 1' })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
  });

  test('nor over the native protocol', async () => {
    const [host = '', port = ''] = t.engine.tcpAddress.split(':');
    const args = ['--host', host, '--port', port, '--query', 'SYSTEM STOP LISTEN TCP'];
    const { code, said } = await run('clickhouse-client', args);
    expect(said).toMatch(/Authentication failed/);
    expect(code).not.toBe(0);
    await expect(t.as('analyst').ping()).resolves.toEqual({ success: true });
  });

  test.each(['/ping', '/replicas_status', '/play', '/dashboard', '/binary'])(
    '%s tells nothing, and no other site may read it',
    async (path) => {
      const answer = await ask({ path, method: 'GET', headers: { Origin: 'http://evil.example' } });
      expect(answer.headers.get('access-control-allow-origin')).toBe(null);
      expect(await answer.text()).not.toContain(t.directory);
    },
  );

  test('there is no terminal', async () => {
    const answer = await ask({ path: '/webterminal', method: 'GET' });
    expect(answer.status).not.toBe(200);
  });
});

describe('no answer may be read by a page of another site', () => {
  const settings = [
    'add_http_cors_header=1',
    `http_response_headers=${encodeURIComponent("{'Access-Control-Allow-Origin':'http://evil.example'}")}`,
  ];
  test.each(['analyst', 'admin'] as const)('%s', async (user) => {
    for (const setting of settings) {
      const headers = { ...FROM_A_PAGE, ...basic(user, t.engine.passwords[user]) };
      const answer = await ask({ path: `/?${setting}`, headers, body: 'SELECT 1' });
      expect(answer.headers.get('access-control-allow-origin')).toBe(null);
    }
  });

  test('a preflight allows nothing', async () => {
    const answer = await ask({
      method: 'OPTIONS',
      headers: { ...FROM_A_PAGE, 'Access-Control-Request-Method': 'POST' },
    });
    expect([...answer.headers.keys()].filter((name) => /^access-control/.test(name))).toEqual([]);
  });
});

describe('analyst cannot make files', () => {
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

  test('by sqlite()', async () => {
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
  ])('by the setting %s of %s', async (setting, query, more) => {
    for (const profile of ['', "profile = 'default', ", "profile = 'bigtrace_rows', "])
      for (const place of places()) {
        const path = join(place, 'zz.proto');
        const body = `${query} SETTINGS ${profile}${setting} = '${path}'${more}`;
        const answer = await ask({ headers: asAnalyst(), body });
        expect(await answer.text()).toMatch(/should not be changed|Not enough privileges/);
        expect(existsSync(path)).toBe(false);
      }
  });

  test('and the next start is as good as the last', async () => {
    await t.restart();
    expect(await rowsOf(t.as('analyst'), 'SELECT 1')).toEqual([[1]]);
  });
});

test('configuration that was spoilt is made anew', async () => {
  writeFileSync(join(data, '../etc/users.d/zz.xml'), '');
  writeFileSync(join(data, '../etc/config.d/zz.xml'), '<');
  await t.restart();
  expect(readdirSync(join(data, '../etc/users.d'))).toEqual(['bigtrace.xml', 'embedded.xml']);
});

describe('file() does not read', () => {
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

  test('a log of the engine, for there is none where it may read', async () => {
    const names = readdirSync(join(data, '..'), { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => name.endsWith('.log'))).toEqual([]);
  });

  test('but the devices that programs need', async () => {
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

  test('reach beyond the data of the engine with what it executes', async () => {
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
    const sql = `@a Nullable(Int64);;(${commands}) 2>/dev/null; end`.replace(/[\\']/g, '\\$&');
    try {
      await rowsOf(t.as('admin'), `SELECT * FROM bigtrace(traces=['/local/a'], sql='${sql}')`);
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

  test('sees and cancels their own query, and no other', async () => {
    const [own, other] = ['own', 'other'].map((name) => `${name}-${crypto.randomUUID()}`);
    const running = [
      rowsOf(t.as('analyst'), slow, { queryId: String(own) }),
      rowsOf(t.as('admin'), slow, { queryId: String(other) }),
    ].map((answer) => answer.then(() => 'it ended', String));
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

  test('gets numbers that no JSON parser rounds, and infinities that are not null', async () => {
    const body = `SELECT 9223372036854775807 AS i, -9223372036854775808 AS j, toUInt64(18446744073709551615) AS u,
      inf AS p, -inf AS m, nan AS n FORMAT JSONEachRow`;
    for (const user of ['analyst', 'admin'] as const) {
      const answer = await ask({ headers: basic(user, t.engine.passwords[user]), body });
      expect(JSON.parse(await answer.text())).toEqual({
        ...{ i: '9223372036854775807', j: '-9223372036854775808', u: '18446744073709551615' },
        ...{ p: 'inf', m: '-inf', n: 'nan' },
      });
    }
  });
});

test('what the engine writes is for its owner only', () => {
  const names = readdirSync(join(data, '..'), { recursive: true, encoding: 'utf8' });
  const open = names.filter((name) => {
    const stat = statSync(join(data, '..', name), { throwIfNoEntry: false });
    return stat !== undefined && (stat.mode & 0o077) !== 0;
  });
  expect(open).toEqual([]);
});

function run(program: string, args: string[]): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, said }));
  });
}
