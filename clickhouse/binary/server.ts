/**
 * Becomes the server of a `clickhouse` binary, on Linux. engine-process.ts starts it with an EngineStart as JSON on stdin.
 * The process confines itself and then executes the binary in its own place, so that the process ID, the limits and the
 * death with the parent are those of the server.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { confine } from '../confinement/confine.ts';
import { keepOverExec, openLibc, prctl, replaceProcess } from '../confinement/libc.ts';
import { type EngineStart, UNCONFINED_EXIT } from '../engine/engine-process.ts';

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const STDIN = 0;
const STDERR = 2;

/**
 * What a server reads of the system in addition. Other than the embedded engine, it limits its function file() to a
 * directory, so its users cannot read these files.
 */
const OF_A_SERVER = [
  '/sys',
  '/proc/self',
  '/proc/sys',
  '/proc/pressure',
  '/proc/diskstats',
  '/proc/vmstat',
  '/proc/version',
];

const start = JSON.parse(readFileSync(STDIN, 'utf8')) as EngineStart;
process.umask(0o077); // files are accessible only to their owner
openLibc();
prctl(PR_SET_PDEATHSIG, SIGKILL);
if (process.ppid !== start.parentPid) process.exit(1); // the parent died before prctl()
const { readable, executable, ...rest } = start.confinement;
const confined = confine({
  ...rest,
  readable: [...readable, ...OF_A_SERVER],
  executable: [...executable, start.program],
});
if (!confined && !start.insecure) process.exit(UNCONFINED_EXIT);
keepDescriptors();
replaceProcess(start.program, ['clickhouse', ...start.arguments], start.env);

/**
 * Node closes all descriptors when it executes a program. The server needs stdin, stdout and stderr, and the entries of
 * /proc that confine() opened: the kernel may recreate an entry that nobody has open, and a rule applies to the old one.
 */
function keepDescriptors(): void {
  const directory = '/proc/self/fd';
  for (const fd of readdirSync(directory).map(Number))
    if (fd <= STDERR || targetOf(`${directory}/${fd}`).startsWith('/proc/')) keepOverExec(fd);
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return ''; // the descriptor with which the directory was read
  }
}
