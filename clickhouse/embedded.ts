/**
 * The process that is the embedded ClickHouse, started by engine-process.ts with an EngineStart on stdin.
 * It becomes clickhouse-local's main, which listens as a server does, and never returns to JS; so it is the
 * kernel that ends it when its parent is gone.
 */
import { readFileSync } from 'node:fs';
import { DataType, load, open } from 'ffi-rs';
import { confineFiles, prctl } from './confine.ts';
import { type EngineStart, UNCONFINED_EXIT } from './engine-process.ts';

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const STDIN = 0;

const start = JSON.parse(readFileSync(STDIN, 'utf8')) as EngineStart;

open({ library: 'libc', path: 'libc.so.6' });
prctl(PR_SET_PDEATHSIG, SIGKILL);
if (process.ppid !== start.parentPid) process.exit(1); // it was gone before the kernel knew

// Not from its parent's environment: what a process begins with can be read in /proc/self/environ.
// biome-ignore lint/style/noProcessEnv: this is the main of a process
Object.assign(process.env, start.env);

open({ library: 'chdb', path: start.library });
if (!confineFiles(start.readable, [start.directory]) && !start.insecure)
  process.exit(UNCONFINED_EXIT);
void load({
  library: 'chdb',
  funcName: 'query_stable_v2',
  retType: DataType.Void,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [start.arguments.length, start.arguments],
});
