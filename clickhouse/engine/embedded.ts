/**
 * The process that is the embedded ClickHouse, started by engine-process.ts with an EngineStart on stdin. A thread
 * of it runs clickhouse-local's main, which listens as a server does.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { DataType, load, open } from 'ffi-rs';
import { thisMachine } from '../../lib/common/machine.ts';
import { confine } from '../confinement/confine.ts';
import { openLibc, prctl, useSilentTerminal } from '../confinement/libc.ts';
import { type EngineStart, UNCONFINED_EXIT } from './engine-process.ts';
import { startGatekeeper } from './gatekeeper.ts';

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const STDIN = 0;
const STACK_MIB = 16;
/** Of the memory of the machine or container: the traces that workers have loaded take as much (cli/up/config.ts). */
const MEMORY_SHARE = 0.4;

const INTERACTIVE = [
  '--interactive',
  '--disable_suggestion',
  '--history_file=/dev/null',
  ...['--progress=off', '--progress-table=off', '--highlight=0'],
];

if (isMainThread) await startEngine(JSON.parse(readFileSync(STDIN, 'utf8')) as EngineStart);
else runEngine(workerData as EngineStart);

/**
 * In a thread of its own: of the main thread the C library finds the stack in /proc/self/maps, and that is
 * closed to the engine.
 */
async function startEngine(start: EngineStart): Promise<void> {
  process.umask(0o077); // what it writes is for its owner
  openLibc();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (process.ppid !== start.parentPid) process.exit(1); // it was gone before the kernel knew
  const environment = {
    ...start.env,
    BIGTRACE_CLICKHOUSE_GATEKEEPER: await startGatekeeper(),
    BIGTRACE_CLICKHOUSE_MEMORY_BYTES: String(Math.floor(thisMachine().memoryBytes * MEMORY_SHARE)),
  };
  // Not from its parent's environment: what a process begins with can be read in /proc/self/environ.
  // biome-ignore lint/style/noProcessEnv: this is the main of a process
  Object.assign(process.env, environment);
  const thread = new Worker(fileURLToPath(import.meta.url), {
    workerData: start,
    resourceLimits: { stackSizeMb: STACK_MIB },
  });
  thread.on('exit', (code) => process.exit(code));
}

/** Blocks for as long as the engine runs. */
function runEngine(start: EngineStart): void {
  open({ library: 'chdb', path: start.library });
  // After its queries it waits for what is typed at its terminal, for ever, without a query that could be killed.
  // Without a terminal it would also take an error in any connection, such as a wrong password, for its end.
  useSilentTerminal();
  const values = [...start.arguments, ...INTERACTIVE, '--queries-file', start.queriesFile];
  // This thread and those that it starts: all of the engine.
  if (!confine(start.confinement) && !start.insecure) process.exit(UNCONFINED_EXIT);
  void load({
    library: 'chdb',
    funcName: 'query_stable_v2',
    retType: DataType.Void,
    paramsType: [DataType.I32, DataType.StringArray],
    paramsValue: [values.length, values],
  });
}
