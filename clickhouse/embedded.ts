/**
 * The process that is the embedded ClickHouse, started by launch.ts: `node clickhouse-embedded.js
 * LIBCHDB PARENT_PID ARGUMENT…`. It becomes clickhouse-local's main, which listens as a server does, and never
 * returns to JS; so it is the kernel that ends it when its parent is gone.
 */
import { DataType, load, open } from 'ffi-rs';

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

const [, , library = '', parentPid, ...engineArguments] = process.argv;

open({ library: 'libc', path: 'libc.so.6' });
void load({
  library: 'libc',
  funcName: 'prctl',
  retType: DataType.I32,
  paramsType: [DataType.I32, DataType.U64],
  paramsValue: [PR_SET_PDEATHSIG, SIGKILL],
});
if (process.ppid !== Number(parentPid)) process.exit(1); // it was gone before the kernel knew

open({ library: 'chdb', path: library });
void load({
  library: 'chdb',
  funcName: 'query_stable_v2',
  retType: DataType.Void,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [engineArguments.length, engineArguments],
});
