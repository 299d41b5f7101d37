import { expect, test } from 'vitest';
import { returnRows, type Script } from '../testing/stub-worker.ts';
import { gather, SOON, TestSystem } from '../testing/system.ts';

const hang: Script = () => undefined;
const TRACES = ['/local/a', '/local/b'];

/** Starts two orchestrators that are peers, each with a worker of its own. */
async function startPeers(scripts: [Script, Script]): Promise<[TestSystem, TestSystem]> {
  const peers: string[] = [];
  const start = async (script: Script): Promise<TestSystem> => {
    const system = await new TestSystem([{ script }], { peers }).start();
    peers.push(system.orchestrator?.address ?? '');
    return system;
  };
  return [await start(scripts[0]), await start(scripts[1])];
}

test('each orchestrator tells and cancels the queries of all', async () => {
  const [here, there] = await startPeers([hang, hang]);
  await using _here = here;
  await using _there = there;
  const queries = [here, there].map((system, at) =>
    gather(system.begin(TRACES, { queryId: `q${at}` })).catch((error: unknown) => error),
  );
  await expect.poll(() => here.workers[0]?.seen.length, SOON).toBe(2);
  await expect.poll(() => there.workers[0]?.seen.length, SOON).toBe(2);
  for (const system of [here, there]) {
    const { query, gauges, queriesRunning, worker } = await system.status();
    expect(query.map(({ queryId }) => queryId).sort()).toEqual(['q0', 'q1']);
    expect(gauges).toMatchObject({ queries_running: 2, traces_in_flight: 4, workers_ready: 1 });
    expect([queriesRunning, worker.length]).toEqual([2, 2]);
    for (const id of ['q0', 'q1'])
      expect(await system.progress(id)).toMatchObject({ progress: { tracesTotal: 2 } });
    expect(await system.progress('q2')).toEqual({ progress: null });
  }
  expect(await there.cancel('q0')).toEqual({ cancelled: 1 });
  expect(await here.cancel('q1')).toEqual({ cancelled: 1 });
  for (const query of queries) expect(await query).toMatchObject({ code: 'cancelled' });
});

test('failures of all orchestrators are listed at each, newest query first', async () => {
  const failing: Script = ({ fail }) => fail('trace_invalid', 'not a trace');
  const [here, there] = await startPeers([failing, failing]);
  await using _here = here;
  await using _there = there;
  const fail = (system: TestSystem, queryId: string): Promise<unknown> =>
    system.query(TRACES, { queryId, onFailure: 'LENIENT' }).catch(() => undefined);
  for (const [system, id] of [
    [here, 'q0'],
    [there, 'q1'],
    [here, 'q2'],
  ] as const)
    await fail(system, id);
  for (const system of [here, there]) {
    const all = (await system.failures()).filter(({ trace }) => trace.length > 0);
    expect(all.map(({ queryId, trace }) => `${queryId} ${trace}`)).toEqual(
      ['q2', 'q1', 'q0'].flatMap((id) => TRACES.map((trace) => `${id} ${trace}`)),
    );
    expect((await system.failures('q1')).map(({ queryId }) => queryId)).toContain('q1');
    expect((await system.failures('', 3)).map(({ queryId }) => queryId)[0]).toBe('q2');
    expect(await system.failures('', 3)).toHaveLength(3);
  }
});

test('an orchestrator that was killed is left out', async () => {
  const [here, there] = await startPeers([returnRows, hang]);
  await using _here = here;
  await using _there = there;
  const query = gather(there.begin(TRACES, { queryId: 'lost' })).catch((error: unknown) => error);
  await expect.poll(async () => (await here.status()).query.length, SOON).toBe(1);
  there.orchestrator?.stop();
  await query;
  expect((await here.status()).query).toEqual([]);
  expect(await here.progress('lost')).toEqual({ progress: null });
  expect(await here.query(TRACES, { queryId: 'next' })).toHaveLength(2);
});
