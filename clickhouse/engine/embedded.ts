/**
 * The process of the embedded ClickHouse. engine-process.ts starts it with an EngineStart as JSON on stdin. One of its
 * threads runs the main function of clickhouse-local, which listens like a server.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { DataType, load, open } from 'ffi-rs';
import { confine } from '../confinement/confine.ts';
import { openLibc, prctl, useSilentTerminal } from '../confinement/libc.ts';
import { type EngineStart, UNCONFINED_EXIT } from './engine-process.ts';
import { startGatekeeper } from './gatekeeper.ts';

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const STDIN = 0;
const STACK_MIB = 16;

const INTERACTIVE = [
  '--interactive',
  '--disable_suggestion',
  '--history_file=/dev/null',
  ...['--progress=off', '--progress-table=off', '--highlight=0'],
];

if (isMainThread) await startEngine(JSON.parse(readFileSync(STDIN, 'utf8')) as EngineStart);
else runEngine(workerData as EngineStart);

/**
 * Runs the engine in a worker thread. In the main thread the C library would find the stack by reading /proc/self/maps,
 * which the confinement makes inaccessible.
 */
async function startEngine(start: EngineStart): Promise<void> {
  process.umask(0o077); // files are accessible only to their owner
  openLibc();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (process.ppid !== start.parentPid) process.exit(1); // the parent died before prctl()
  const environment = { ...start.env, BIGTRACE_CLICKHOUSE_GATEKEEPER: await startGatekeeper() };
  // Set here, not inherited: the initial environment of a process is readable in /proc/self/environ.
  // biome-ignore lint/style/noProcessEnv: this is the main of a process
  Object.assign(process.env, environment);
  const thread = new Worker(fileURLToPath(import.meta.url), {
    workerData: start,
    resourceLimits: { stackSizeMb: STACK_MIB },
  });
  thread.on('exit', (code) => process.exit(code));
}

/** Runs the engine. Blocks until it ends. */
function runEngine(start: EngineStart): void {
  open({ library: 'chdb', path: start.program });
  // After the start queries the engine reads its terminal, which never has input. This keeps it running without a query
  // that could be killed. Without a terminal it would also exit on an error in any connection, such as a wrong
  // password.
  useSilentTerminal();
  const values = [...start.arguments, ...INTERACTIVE, '--queries-file', start.queriesFile];
  // Applies to this thread and all threads that it starts, that is, to the whole engine.
  if (!confine(start.confinement) && !start.insecure) process.exit(UNCONFINED_EXIT);
  void load({
    library: 'chdb',
    funcName: 'query_stable_v2',
    retType: DataType.Void,
    paramsType: [DataType.I32, DataType.StringArray],
    paramsValue: [values.length, values],
  });
}
