/** Tests the HorizontalPodAutoscaler of the manifests with a stand-in for metrics-server: workers follow their CPU. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  kubectl,
  patchAutoscaler,
  ready,
  SECONDS_OF_WORK,
  scaleWorkers,
  settled,
  slowQuery,
  slowRows,
  sql,
  until,
} from './cluster.ts';
import { startMetricsServer } from './stand-ins/metrics-server.ts';

beforeAll(async () => {
  await settled();
  await scaleWorkers(2);
});
afterAll(() => scaleWorkers(2));

test('a query that needs the CPU of two workers starts a third; it is removed afterwards', async () => {
  await using _metrics = await startMetricsServer();
  const utilization = 'jsonpath={.status.currentMetrics[0].resource.current.averageUtilization}';
  await until('the autoscaler knows an idle CPU', async () => {
    const text = await kubectl('get', 'hpa', 'worker', '--output', utilization);
    return text !== '' && Number(text) < 70;
  });
  await patchAutoscaler({ minReplicas: 2, maxReplicas: 3 });

  const begun = Date.now();
  const upTo = 6 * SECONDS_OF_WORK + 1;
  const query = sql(slowQuery(upTo));
  query.catch(() => {});
  await ready('worker', 3);
  const third = Math.round((Date.now() - begun) / 1000);
  expect(await query).toBe(slowRows(upTo));

  // The manifest waits for 15 minutes.
  await patchAutoscaler({ behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } });
  await ready('worker', 2);
  console.log(`a third worker was ready ${third} s after the query began`);
});
