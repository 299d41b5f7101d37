import { expect, it } from 'vitest';
import { PLAINTEXT_SERVER } from '../lib/common/options/server-security-options.ts';
import { COUNTERS } from './counters.ts';
import { startWorker } from './start.ts';
import { STORE_COUNTS } from './store-counts.ts';
import { testConfig } from './testing/worker.ts';

it('the metrics endpoint reports every counter', async () => {
  const worker = await startWorker(
    await testConfig({ serverSecurity: { ...PLAINTEXT_SERVER, metricsPort: 0 } }),
  );
  const get = (path: string) => fetch(`http://127.0.0.1:${worker.metricsPort}${path}`);
  expect((await get('/readyz')).status).toBe(200);
  const text = await (await get('/metrics')).text();
  for (const [name, help] of Object.entries(COUNTERS)) {
    if (name.startsWith('tier_'))
      expect(text).toContain(`results_total{tier="${name.slice('tier_'.length)}"} 0`);
    else expect(text).toContain(` ${help.replace('milliseconds', 'seconds')}\n`);
  }
  for (const [name, help] of Object.entries(STORE_COUNTS)) {
    const metric = `bigtrace_worker_${name}${name === 'store_in_flight' ? '' : '_total'}`;
    expect(text).toContain(`# HELP ${metric} ${help}\n`);
    expect(text).toContain(`${metric}{store="local"} 0\n`);
  }
  expect(text).toContain('bigtrace_worker_threads 2\n');
  expect(text).toContain('bigtrace_worker_tasks_running 0\n');
  await worker.drain();
  await expect(get('/healthz')).rejects.toThrow();
});

it('a missing token file is an error that names the file', async () => {
  const serverSecurity = { ...PLAINTEXT_SERVER, tokenFile: '/nowhere/token' };
  await expect(startWorker(await testConfig({ serverSecurity }))).rejects.toMatchObject({
    code: 'invalid_option',
    message: expect.stringContaining('/nowhere/token'),
  });
});
