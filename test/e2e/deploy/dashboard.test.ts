import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PLAINTEXT_SERVER } from '../../../lib/common/options/server-security-options.ts';
import { ROOT } from '../../../lib/common/root.ts';
import { TestSystem } from '../../../orchestrator/testing/system.ts';
import { startWorker } from '../../../worker/start.ts';
import { testConfig } from '../../../worker/testing/worker.ts';

const DASHBOARD = join(ROOT, 'docs/deploy/grafana-dashboard.json');
const serverSecurity = { ...PLAINTEXT_SERVER, metricsPort: 0 };

interface Panel {
  title: string;
  targets: { expr: string }[];
}

/** Names of all metrics that a worker or an orchestrator exports. */
const metrics = new Set<string>();
const close: (() => unknown)[] = [];

beforeAll(async () => {
  const worker = await startWorker(await testConfig({ serverSecurity }));
  const system = await new TestSystem([{}], { serverSecurity }).start();
  close.push(
    () => worker.stop(),
    () => system[Symbol.asyncDispose](),
  );
  for (const port of [worker.metricsPort, system.orchestrator?.metricsPort]) {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    for (const [, name = ''] of text.matchAll(/^# TYPE (\w+)/gm)) metrics.add(name);
  }
});
afterAll(() => Promise.all(close.map((each) => each())));

test('every metric of the Grafana dashboard exists', () => {
  const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as { panels: Panel[] };
  expect(panels.length).toBeGreaterThan(8);
  for (const { title, targets } of panels) {
    expect(targets.length, title).toBeGreaterThan(0);
    for (const { expr } of targets) {
      const [used = ''] = /\b(?:bigtrace|process)_\w+/.exec(expr) ?? [];
      expect(metrics, `${title}: ${expr}`).toContain(used);
    }
  }
});
