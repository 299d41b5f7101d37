/**
 * `clickhouse-server`: the engine in a child, for it blocks the thread it runs on, and as process 1 of a
 * container it would not hear signals.
 */
import { spawn } from 'node:child_process';

const LISTEN = `SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP;
  SELECT sleepEachRow(3) FROM system.numbers FORMAT Null
  SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0`;

const args = process.argv.slice(2).filter((argument) => argument !== '--');
if (!args.some((argument) => argument.startsWith('--listen_host')))
  args.push('--listen_host=0.0.0.0');
const engine = spawn(
  process.execPath,
  ['/opt/stand-in/engine.mjs', 'clickhouse', ...args, `--query=${LISTEN}`],
  { stdio: 'inherit' },
);
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => engine.kill(signal));
engine.on('exit', (code, signal) => process.exit(signal === 'SIGTERM' ? 0 : (code ?? 1)));
