/** Tests that the same traces in different stores return the same rows through ClickHouse. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ClickHouseClient } from '@clickhouse/client';
import { Storage } from '@google-cloud/storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningServer } from '../../../lib/trace-store/testing/listen.ts';
import {
  BUCKET,
  S3_KEYS,
  startGcs,
  startS3,
} from '../../../lib/trace-store/testing/real-servers.ts';
import { CORPUS, corpusTraces } from '../../corpus/index.ts';
import { clickhouseAs, errorOf, rowsOf } from '../../harness/queries.ts';
import { type System, startSystem } from '../../harness/system.ts';

const paths = corpusTraces().flatMap(({ path }) =>
  /^(recorded\/(linux|other)|handmade)\//.test(path) ? [path] : [],
);
const servers: RunningServer[] = [];
let system: System;
let analyst: ClickHouseClient;

beforeAll(async () => {
  const [gcs, s3] = await Promise.all([startGcs(), startS3()]);
  servers.push(gcs, s3);
  const bucket = new Storage({ projectId: 'test', apiEndpoint: `http://${gcs.host}` }).bucket(
    BUCKET,
  );
  const client = new S3Client({
    region: 'us-east-1',
    endpoint: `http://${s3.host}`,
    forcePathStyle: true,
    credentials: S3_KEYS,
  });
  for (const path of paths) {
    const bytes = readFileSync(join(CORPUS, path));
    await bucket.file(path).save(bytes, { resumable: false, validation: false });
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: path, Body: bytes }));
  }
  system = await startSystem({
    workers: 2,
    traces: CORPUS,
    env: {
      BIGTRACE_GCS_ENDPOINT: `http://${gcs.host}`,
      BIGTRACE_GCS_ANONYMOUS: 'true',
      BIGTRACE_S3_ENDPOINT: `http://${s3.host}`,
      BIGTRACE_S3_REGION: 'us-east-1',
      BIGTRACE_S3_PATH_STYLE: 'true',
      AWS_ACCESS_KEY_ID: S3_KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: S3_KEYS.secretAccessKey,
    },
  });
  analyst = clickhouseAs(system, 'analyst');
});
afterAll(async () => {
  await analyst?.close();
  await system?.stop();
  await Promise.all(servers.map((server) => server.close()));
});

/** Returns the rows of all traces under a prefix, with the prefix removed from the addresses. */
async function rowsUnder(prefix: string): Promise<unknown[][]> {
  const patterns = ['recorded/linux/*', 'recorded/other/*', 'handmade/*'].map(
    (end) => prefix + end,
  );
  return await rowsOf(
    analyst,
    `SELECT substring(_trace_address, ${prefix.length + 1}) AS path, n, dur, name FROM bigtrace(
       traces=${JSON.stringify(patterns).replaceAll('"', "'")},
       sql='SELECT count(*) AS n, sum(dur) AS dur, max(name) AS name FROM slice') ORDER BY path`,
  );
}

test('/gcs and /s3 return the same rows as /local', async () => {
  const local = await rowsUnder('/local/');
  expect(local).toHaveLength(paths.length);
  expect(await rowsUnder(`/gcs/${BUCKET}/o/`)).toEqual(local);
  expect(await rowsUnder(`/s3/${BUCKET}/`)).toEqual(local);
}, 180_000);

test.each([
  [`/gcs/${BUCKET}/o/none.pftrace`, /none\.pftrace.*the trace does not exist/],
  [`/s3/${BUCKET}/none.pftrace`, /none\.pftrace.*the trace does not exist/],
  [`/gcs/nobucket/o/**`, /nobucket/],
])('the error for the missing %s names it', async (address, message) => {
  expect(
    await errorOf(analyst, `SELECT * FROM bigtrace(traces=['${address}'], sql='SELECT 1 AS n')`),
  ).toMatch(message);
});
