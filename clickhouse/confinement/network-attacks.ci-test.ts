/** Attacks that would make the embedded engine connect to other servers, or write files, in the name of its users. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rowsOf, startTestEngine, type TestEngine } from '../testing/engine.ts';

let t: TestEngine;
/** A server that must not be reached, such as a cloud's metadata or another service of this machine. */
let victim: Server;
let host: string;
let connections = 0;

beforeAll(async () => {
  t = await startTestEngine();
  victim = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => victim.listen(0, '127.0.0.1', resolve));
  const address = victim.address();
  host = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
});

afterAll(async () => {
  victim?.close();
  await t?.[Symbol.asyncDispose]();
});

/** Calls of table functions that connect to the server HOST, with and without a structure. */
const REMOTE = [
  "url('http://HOST/', TSV, 'a String')",
  "url('http://HOST/', JSONEachRow)",
  "urlCluster('default', 'http://HOST/', TSV, 'a String')",
  "s3('http://HOST/bucket/key', TSV, 'a String')",
  "s3('http://HOST/bucket/key', NOSIGN, JSONEachRow)",
  "s3Cluster('default', 'http://HOST/bucket/key', TSV, 'a String')",
  "gcs('http://HOST/bucket/key', NOSIGN, JSONEachRow)",
  "oss('http://HOST/bucket/key', TSV, 'a String')",
  "cosn('http://HOST/bucket/key', TSV, 'a String')",
  "azureBlobStorage('http://HOST/account', 'container', 'blob', 'account', 'a2V5', JSONEachRow)",
  "hdfs('hdfs://HOST/file', TSV, 'a String')",
  "mysql('HOST', 'd', 't', 'u', 'p')",
  "postgresql('HOST', 'd', 't', 'u', 'p')",
  "mongodb('HOST', 'd', 'c', 'u', 'p', 'a String')",
  "redis('HOST', 'k', 'k String, v String')",
  "remote('HOST', 'system', 'one')",
  "remote('HOST', 'system', 'one', 'u', 'p')",
  "remoteSecure('HOST', 'system', 'one')",
  "jdbc('jdbc:x://HOST', 's', 't')",
  "odbc('DSN=x;Server=HOST', 's', 't')",
  "deltaLake('http://HOST/bucket/key')",
  "hudi('http://HOST/bucket/key')",
  "iceberg('http://HOST/bucket/key')",
  "ytsaurus('http://HOST', '//t', 'token', 'a String')",
  "arrowFlight('HOST', 'd')",
  "arrowFlight('HOST', 'd', 'u', 'p')",
];

const ways = (call: string): string[] => [
  `SELECT * FROM ${call}`,
  `DESCRIBE TABLE ${call}`,
  `EXPLAIN PIPELINE SELECT * FROM ${call}`,
  `SELECT 'a' IN (SELECT * FROM ${call})`,
  `SELECT * FROM view(SELECT * FROM ${call})`,
  `SELECT * FROM viewIfPermitted(SELECT * FROM ${call} ELSE null('a String'))`,
  `SELECT * FROM loop(${call})`,
  `INSERT INTO FUNCTION ${call} SELECT 'a'`,
];

describe('analyst cannot make the engine connect to another server', () => {
  test.each(REMOTE)('with %s', async (call) => {
    const queries = ways(call.replaceAll('HOST', host));
    for (const query of queries) {
      const outcome = await t
        .as('analyst')
        .command({ query, abort_signal: AbortSignal.timeout(20_000) })
        .then(
          () => 'it was accepted',
          (error: Error) => error.message,
        );
      expect([query, connections, outcome]).toEqual([query, 0, expect.not.stringMatching(/abort/)]);
    }
  });

  test.each(['analyst', 'admin'] as const)('nor %s with a setting', async (user) => {
    const avro = "format(AvroConfluent, unhex('000000000100'))";
    const registry = `format_avro_schema_registry_url = 'http://${host}/'`;
    for (const query of [
      `SELECT * FROM ${avro} SETTINGS ${registry}`,
      `DESCRIBE ${avro} SETTINGS ${registry}`,
      "SELECT aiGenerate('c', 'a') SETTINGS allow_experimental_ai_functions = 1",
    ])
      await expect(t.as(user).command({ query })).rejects.toThrow(/should not be changed/);
    expect(connections).toBe(0);
  });
});

const dictionary = (source: string): string =>
  `CREATE DICTIONARY bigtrace.d (a UInt64, b String) PRIMARY KEY a SOURCE(${source}) LAYOUT(FLAT()) LIFETIME(0)`;

test.each([
  "HTTP(URL 'http://HOST/' FORMAT 'TSV')",
  "CLICKHOUSE(HOST '127.0.0.1' PORT 1 TABLE 'one' DB 'system')",
  "MYSQL(HOST '127.0.0.1' PORT 1 TABLE 't' DB 'd' USER 'u' PASSWORD 'p')",
  "POSTGRESQL(HOST '127.0.0.1' PORT 1 TABLE 't' DB 'd' USER 'u' PASSWORD 'p')",
  "MONGODB(HOST '127.0.0.1' PORT 1 COLLECTION 't' DB 'd' USER 'u' PASSWORD 'p')",
  "REDIS(HOST '127.0.0.1' PORT 1 STORAGE_TYPE 'simple' DB_INDEX 0)",
  "CASSANDRA(HOST '127.0.0.1' KEYSPACE 'k' COLUMN_FAMILY 'c')",
  "ODBC(CONNECTION_STRING 'DSN=x' TABLE 't')",
  "LIBRARY(PATH '/usr/lib/x86_64-linux-gnu/libc.so.6')",
  "YAMLREGEXPTREE(PATH '/etc/passwd')",
  'NULL()',
])('admin cannot create a dictionary with the source %s', async (source) => {
  const query = dictionary(source.replaceAll('HOST/', `${host}/`));
  await expect(t.as('admin').command({ query })).rejects.toThrow(/Not enough privileges/);
});

describe('no user can write a file outside the data of the engine', () => {
  const outside = (): string => join(t.directory, 'outside');
  const statements = (): string[] => [
    `SELECT 1 INTO OUTFILE '${outside()}/a'`,
    `SELECT 1 INTO OUTFILE '${outside()}/a' TRUNCATE FORMAT TSV`,
    `BACKUP DATABASE bigtrace TO File('${outside()}/a')`,
    `BACKUP DATABASE bigtrace TO Disk('default', '../../outside/a')`,
    `BACKUP DATABASE bigtrace TO Disk('tables', '../../../outside/a')`,
    `RESTORE DATABASE bigtrace FROM File('${outside()}/a')`,
    `CREATE TABLE bigtrace.o (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = '${outside()}/')`,
    `CREATE DATABASE o ENGINE = Filesystem('${outside()}')`,
    `CREATE DATABASE o ENGINE = SQLite('${outside()}/a')`,
    `CREATE TABLE bigtrace.o (a String) ENGINE = URL('file://${outside()}/a', TSV)`,
    `ATTACH TABLE bigtrace.o FROM '${outside()}' (a UInt8) ENGINE = Memory`,
    `SELECT * FROM executable('../../../../bin/sh', TSV, 'a String')`,
    `SELECT * FROM executable('bigtrace/../../../../bin/sh', TSV, 'a String')`,
    `SELECT * FROM executable('bigtrace; touch ${outside()}/a', TSV, 'a String', (SELECT 1))`,
    `SELECT catboostEvaluate('${outside()}/a', 1)`,
    `SELECT * FROM file('${outside()}/a', TSV, 'a String')`,
    'CREATE NAMED COLLECTION o AS a = 1',
    'CREATE USER o',
    'CREATE FUNCTION bigtrace_schema AS () -> 1',
    'CREATE OR REPLACE FUNCTION bigtrace_schema AS () -> 1',
  ];

  test.each(['analyst', 'admin'] as const)('%s', async (user) => {
    mkdirSync(outside(), { recursive: true });
    for (const query of statements()) {
      await t
        .as(user)
        .command({ query })
        .catch(() => undefined); // some are only without effect
      expect([query, readdirSync(outside())]).toEqual([query, []]);
    }
    expect(existsSync(outside())).toBe(true);
    await t.restart();
    expect(await rowsOf(t.as('analyst'), 'SELECT 1')).toEqual([[1]]);
  });
});
