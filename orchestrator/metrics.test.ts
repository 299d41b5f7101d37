import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { PLAINTEXT_SERVER } from '../lib/common/options/server-security-options.ts';
import { COUNTERS, GAUGES } from './counters.ts';
import { TestSystem } from './testing/system.ts';

const directory = mkdtempSync(join(tmpdir(), 'bigtrace-token-'));
afterAll(() => rmSync(directory, { recursive: true }));

it('the metrics endpoint has a metric for every counter and gauge', async () => {
  await using system = await new TestSystem([{}], {
    serverSecurity: { ...PLAINTEXT_SERVER, metricsPort: 0 },
  }).start();
  const port = system.orchestrator?.metricsPort;
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  for (const name of Object.keys(COUNTERS))
    expect(text).toContain(`bigtrace_orchestrator_${name}_total 0\n`);
  for (const name of Object.keys(GAUGES))
    expect(text).toMatch(new RegExp(`^bigtrace_orchestrator_${name} \\d+$`, 'm'));
  expect(text).toContain('bigtrace_orchestrator_workers_ready 1\n');
});

it('a client without the token gets an unauthenticated error', async () => {
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, 'sesame\n');
  await using system = await new TestSystem([{}], {
    serverSecurity: { ...PLAINTEXT_SERVER, tokenFile },
  }).start();
  await expect(system.status()).rejects.toMatchObject({ code: 'unauthenticated' });
});
