import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../lib/common/root.ts';
import { BENCH_PROGRAM, type Bench, timed } from './bench.ts';
import { STUB_WORKER } from './stub-worker.ts';

const STUBS = 2;
const PROGRAM = join(ROOT, 'dist/bigtrace.js');
const BRIDGE = join(ROOT, 'dist/clickhouse/user_scripts/bridge.cjs');
const STRUCTURE = '_hb UInt8, _trace_address String, n Nullable(Int64)';

/** Measures a query of a million addresses on stub workers, which respond at once, and the memory of each process. */
export const million: Bench = {
  name: 'million',
  async run(quick) {
    const count = quick ? 20_000 : 1_000_000;
    const scratch = mkdtempSync(join(tmpdir(), 'bigtrace-bench-'));
    const children: ChildProcess[] = [];
    try {
      const list = join(scratch, 'addresses');
      await writeAddresses(list, count);
      const workers: string[] = [];
      for (let n = 0; n < STUBS; n++)
        workers.push(await started(children, [BENCH_PROGRAM, STUB_WORKER]));
      const args = ['orchestrator', '-s', '127.0.0.1:0', '-l', workers.join(','), '--json'];
      const ready = await started(children, [PROGRAM, ...args, '--log-level', 'error']);
      const { address, pid } = JSON.parse(ready) as { address: string; pid: number };
      const overGrpc = await measured(list, (input) =>
        spawn(
          process.execPath,
          [
            PROGRAM,
            'query',
            '--orchestrator',
            address,
            '--traces',
            '-',
            '--sql',
            'x',
            '--format',
            'tsv',
          ],
          { stdio: [input, 'pipe', 'inherit'] },
        ),
      );
      const bridge = await measured(list, (input) => {
        const child = spawn(process.execPath, [BRIDGE, 'query', '--traces-fd', '3'], {
          stdio: ['pipe', 'pipe', 'inherit', input],
          env: { ...process.env, BIGTRACE_ORCHESTRATOR: address },
        });
        child.stdin?.end(`[]\tx\tq\tbench\tstrict\t${STRUCTURE}\n`);
        return child;
      });
      if (overGrpc.rows !== count + 1 || bridge.rows < count)
        throw new Error(`${overGrpc.rows} and ${bridge.rows} rows instead of ${count}`);
      return measures(count, { overGrpc, bridge, orchestratorMiB: peakMiB(pid) });
    } finally {
      for (const child of children) child.kill('SIGKILL');
      rmSync(scratch, { recursive: true });
    }
  },
};

interface Measured {
  ms: number;
  rows: number;
  peakMiB: number;
}

function measures(
  count: number,
  times: { overGrpc: Measured; bridge: Measured; orchestratorMiB: number },
): ReturnType<Bench['run']> {
  const { overGrpc, bridge, orchestratorMiB } = times;
  const of = `${count.toLocaleString('en')} addresses, stub workers`;
  return Promise.resolve([
    {
      what: `${of}: bigtrace query`,
      unit: 's',
      target: { atMost: 60 },
      samples: [overGrpc.ms / 1000],
    },
    {
      what: `${of}: the bridge`,
      unit: 's',
      target: { atMost: 60 },
      samples: [bridge.ms / 1000],
    },
    {
      what: `${of}: most memory of the orchestrator`,
      unit: 'MiB',
      target: { atMost: 1024 },
      samples: [orchestratorMiB],
    },
    {
      what: `${of}: most memory of the bridge`,
      unit: 'MiB',
      target: { atMost: 300 },
      samples: [bridge.peakMiB],
    },
    {
      what: `${of}: most memory of bigtrace query`,
      unit: 'MiB',
      samples: [overGrpc.peakMiB],
    },
  ]);
}

async function writeAddresses(path: string, count: number): Promise<void> {
  const file = createWriteStream(path);
  for (let n = 0; n < count; n++)
    if (!file.write(`/local/fleet/2026-11/device-${n % 977}/trace-${n}.pftrace\n`))
      await once(file, 'drain');
  file.end();
  await once(file, 'finish');
}

/** Starts a program and returns the first text that it prints. */
async function started(children: ChildProcess[], args: string[]): Promise<string> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return line.toString().trim();
}

/** Runs a client with the list of addresses as its input file, and measures time, output rows and peak memory. */
async function measured(list: string, start: (input: number) => ChildProcess): Promise<Measured> {
  let rows = 0;
  let peak = 0;
  const ms = await timed(async () => {
    const child = start(openSync(list, 'r'));
    const ended = once(child, 'close');
    const watch = setInterval(() => {
      peak = Math.max(peak, peakMiB(child.pid ?? 0));
    }, 100);
    child.stdout?.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) rows++;
    });
    const [code] = (await ended) as [number | null];
    clearInterval(watch);
    if (code !== 0) throw new Error(`a client ended with ${code}`);
  });
  return { ms, rows, peakMiB: peak };
}

/** Returns the peak resident memory of a process in MiB, as the kernel reports it. */
function peakMiB(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0; // the process has ended
  }
}
