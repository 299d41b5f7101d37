import * as grpc from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import type {
  ExternalScalerClient,
  GetMetricSpecResponse,
  GetMetricsResponse,
  IsActiveResponse,
} from '../../lib/proto/messages.ts';
import { ExternalScaler } from '../../lib/proto/services.ts';
import { returnRows, type StubTask, StubWorker } from '../testing/stub-worker.ts';
import { gather, SOON, TestSystem, unary } from '../testing/system.ts';

/** As KEDA: a client of its service at the address of an orchestrator. */
function scalerOf(system: TestSystem): ExternalScalerClient {
  const address = system.orchestrator?.address ?? '';
  return new ExternalScaler(address, grpc.credentials.createInsecure());
}

const isActive = async (scaler: ExternalScalerClient): Promise<boolean> =>
  (await unary<IsActiveResponse>((done) => scaler.IsActive({}, done))).result;

async function metrics(scaler: ExternalScalerClient): Promise<Record<string, number>> {
  const values: Record<string, number> = {};
  for (const metricName of ['traces', 'trace_bytes']) {
    const { metricValues } = await unary<GetMetricsResponse>((done) =>
      scaler.GetMetrics({ metricName }, done),
    );
    for (const one of metricValues) {
      expect(one.metricValue).toBe(one.metricValueFloat);
      values[one.metricName] = one.metricValueFloat;
    }
  }
  return values;
}

test('the service has the names that KEDA calls', () => {
  expect(Object.values(ExternalScaler.service).map(({ path }) => path)).toEqual(
    ['IsActive', 'StreamIsActive', 'GetMetricSpec', 'GetMetrics'].map(
      (name) => `/externalscaler.ExternalScaler/${name}`,
    ),
  );
});

test('a query that waits without workers makes the scaler active, and returns its rows when one starts', async () => {
  const addresses: string[] = [];
  await using system = await new TestSystem([], {
    ...{ workers: ['dns:///fleet:1'], resolve: async () => addresses, workerWaitMs: 60_000 },
  }).start();
  const scaler = scalerOf(system);
  const changes: boolean[] = [];
  const stream = scaler.StreamIsActive({});
  stream.on('data', ({ result }: IsActiveResponse) => changes.push(result)).on('error', () => {});
  await expect.poll(() => changes, SOON).toEqual([false]);
  expect(await isActive(scaler)).toBe(false);
  expect(await metrics(scaler)).toEqual({ traces: 0, trace_bytes: 0 });

  const patterns = gather(system.begin(['/local/*']));
  await expect.poll(() => isActive(scaler), SOON).toBe(true);
  expect(await metrics(scaler)).toEqual({ traces: 1, trace_bytes: 0 }); // it knows no trace yet
  const named = gather(system.begin(['/local/a', '/local/b', '/local/c']));
  await expect.poll(async () => (await metrics(scaler))['traces'], SOON).toBe(3);
  await expect.poll(() => changes, SOON).toEqual([false, true]);

  const held: StubTask[] = [];
  const worker = new StubWorker({
    script: (task) => void held.push(task),
    list: () => ['/local/a', '/local/b'],
  });
  await worker.start();
  addresses.push(worker.address);
  await expect.poll(() => held.length, SOON).toBe(5);
  expect(await metrics(scaler)).toEqual({ traces: 5, trace_bytes: 2 }); // a stub lists one byte each
  await system.failures(); // needs no worker
  for (const task of held) await returnRows(task);
  expect(await patterns).toHaveLength(2);
  expect(await named).toHaveLength(3);
  expect(await metrics(scaler)).toEqual({ traces: 0, trace_bytes: 0 });
  await expect.poll(() => changes, SOON).toEqual([false, true, false]);
  stream.cancel();
  scaler.close();
  worker.kill();
});

test('the metadata of the trigger sets the targets', async () => {
  await using system = await new TestSystem([]).start();
  const scaler = scalerOf(system);
  const specs = (scalerMetadata: Record<string, string>): Promise<GetMetricSpecResponse> =>
    unary((done) => scaler.GetMetricSpec({ scalerMetadata }, done));
  const spec = (metricName: string, target: number) => ({
    ...{ metricName, targetSize: target, targetSizeFloat: target },
  });
  expect(await specs({})).toEqual({
    metricSpecs: [spec('traces', 16), spec('trace_bytes', 8 * 2 ** 30)],
  });
  expect(await specs({ tracesPerWorker: '4', traceBytesPerWorker: '1GiB', other: 'x' })).toEqual({
    metricSpecs: [spec('traces', 4), spec('trace_bytes', 2 ** 30)],
  });
  await expect(specs({ tracesPerWorker: '0' })).rejects.toMatchObject({
    code: 'invalid_option',
    message:
      "tracesPerWorker of the trigger's metadata is 0; it must be a number above 0, such as 16 or 8GiB",
  });
  const wrong = unary((done) => scaler.GetMetrics({ metricName: 'cpu' }, done));
  await expect(wrong).rejects.toMatchObject({
    code: 'invalid_option',
    message: 'there is no metric cpu; the metrics are traces, trace_bytes',
  });
  scaler.close();
});
