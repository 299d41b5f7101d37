import { expect, it } from 'vitest';
import { RESTARTS_MAX } from './restarts.ts';
import { Supervisor } from './supervisor.ts';
import type { Exit, RunningService } from './system-process.ts';

/** A fake process whose end the test controls. */
class Fake {
  readonly running: RunningService<string>;
  die: (exit: Exit) => void = () => {};
  ping: () => Promise<void> = () => Promise.resolve();

  constructor(pid: number, address: string, log: string[]) {
    const exited = new Promise<Exit>((resolve) => {
      this.die = resolve;
    });
    const end = (reason: string): void => {
      log.push(`${reason} ${pid}`);
      this.die({ reason, lastLines: [] });
    };
    this.running = {
      pid,
      address,
      exited,
      ping: () => this.ping(),
      stop: () => Promise.resolve(end('stop')),
      kill: () => end('kill'),
    };
  }
}

function nextTick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

it('reports a death with its last lines, and restarts at the same address', async () => {
  const logged: string[] = [];
  const supervisor = new Supervisor((line) => logged.push(line));
  const fakes: Fake[] = [];
  const { address } = await supervisor.start<string>('worker-1', (_, previous = 'fresh') => {
    const fake = new Fake(100 + fakes.length, previous, logged);
    fakes.push(fake);
    return Promise.resolve(fake.running);
  });
  expect(address).toBe('fresh');
  fakes[0]?.die({ reason: 'killed by SIGKILL', lastLines: ['out of memory'] });
  await expect.poll(() => fakes.length).toBe(2);
  await nextTick();
  expect(fakes[1]?.running.address).toBe('fresh');
  expect(logged).toEqual([
    'worker-1 (pid 100) died: killed by SIGKILL\n    out of memory',
    'worker-1 was restarted (pid 101)',
  ]);
  expect(supervisor.processes).toEqual([{ name: 'worker-1', pid: 101 }]);
});

it('stops processes in reverse order of their start, without restarts', async () => {
  const log: string[] = [];
  const supervisor = new Supervisor((line) => log.push(line));
  for (const pid of [1, 2, 3])
    await supervisor.start(`p${pid}`, () => Promise.resolve(new Fake(pid, '', log).running));
  await supervisor.stop();
  await nextTick();
  expect(log).toEqual(['stop 3', 'stop 2', 'stop 1']);
});

it('gives up on a process that cannot be restarted', async () => {
  const logged: string[] = [];
  const supervisor = new Supervisor((line) => logged.push(line));
  const first = new Fake(1, '', logged);
  let starts = 0;
  await supervisor.start('worker-1', () => {
    starts++;
    return starts === 1 ? Promise.resolve(first.running) : Promise.reject(new Error('no memory'));
  });
  first.die({ reason: 'exit code 1', lastLines: [] });
  const { message } = await supervisor.gaveUp;
  expect(message).toBe('worker-1 died more than 5 times within 60 s; stopping the system');
  expect(starts).toBe(1 + RESTARTS_MAX);
  expect(logged.filter((line) => line === 'no memory').length).toBe(RESTARTS_MAX);
});

it('kills a process that becomes ready after the stop', async () => {
  const log: string[] = [];
  const supervisor = new Supervisor((line) => log.push(line));
  let comesUp: (running: RunningService<string>) => void = () => {};
  const starting = supervisor.start(
    'worker-1',
    () =>
      new Promise<RunningService<string>>((resolve) => {
        comesUp = resolve;
      }),
  );
  await supervisor.stop();
  comesUp(new Fake(7, '', log).running);
  await starting;
  expect(log).toEqual(['kill 7']);
});

it('kills and restarts a process that does not respond', async () => {
  const logged: string[] = [];
  const times = { pingEveryMs: 1, pingMsMax: 1 };
  const supervisor = new Supervisor((line) => logged.push(line), times);
  const fakes: Fake[] = [];
  await supervisor.start<string>('worker-1', () => {
    const fake = new Fake(4_000_000 + fakes.length, '', logged); // greater than any process ID
    fakes.push(fake);
    return Promise.resolve(fake.running);
  });
  const [first] = fakes;
  if (first === undefined) throw new Error('not started');
  first.ping = () => Promise.reject(new Error('no answer'));
  await expect.poll(() => fakes.length).toBe(2);
  await nextTick();
  expect(logged).toEqual([
    'worker-1 (pid 4000000) does not respond: no answer',
    'kill 4000000',
    'worker-1 (pid 4000000) died: kill',
    'worker-1 was restarted (pid 4000001)',
  ]);
  await supervisor.stop();
});
