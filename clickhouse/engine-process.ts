/** The embedded engine as a child process. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BigtraceError } from '../common/errors.ts';

const STOP_MS_MAX = 5_000;
const LAST_LINES_MAX = 12;
const TEXT_CHARS_MAX = 10_000;

const ENGINE_LIBRARY = '@chdb/lib-linux-x64-gnu/libchdb.so';

/** Of a process that could not be confined (confine.ts). */
export const UNCONFINED_EXIT = 77;

export interface EmbeddedExit {
  /** `exit code 1`, `signal SIGKILL`. */
  how: string;
  lastLines: string[];
}

export interface EngineProcess {
  pid: number;
  exited: Promise<EmbeddedExit>;
  /** Resolves when the process is gone. */
  stop(): Promise<void>;
  /** At once. */
  kill(): void;
}

export interface EngineOptions {
  /** Path of embedded.ts as built. */
  entry: string;
  /** Of clickhouse-local. */
  arguments: string[];
  /** For it, and for the scripts that it executes. */
  env: NodeJS.ProcessEnv;
  /** Where it works, and the only place where it may write. */
  directory: string;
  /** Whether to start where the kernel cannot keep it to these files. */
  insecure: boolean;
  /** What it may read files of, besides the system's own: files, and directories with all in them. */
  readable: string[];
}

/** What embedded.ts is told. */
export interface EngineStart extends Omit<EngineOptions, 'entry'> {
  library: string;
  parentPid: number;
}

/** @throws invalid_option where the engine has no build for this platform. */
export function spawnEngine({ entry, ...options }: EngineOptions): EngineProcess {
  const start: EngineStart = {
    ...options,
    env: { ...options.env, BIGTRACE_NODE: process.execPath },
    readable: [
      ...options.readable,
      dirname(entry),
      process.execPath,
      join(dirname(process.execPath), '../lib'), // of a node that is not one file
    ],
    library: requireLibrary(entry),
    parentPid: process.pid,
  };
  const child = spawn(process.execPath, [entry], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true, // a terminal's Ctrl-C is for the parent, which stops things in order
    env: {},
    cwd: options.directory,
  });
  child.stdin.on('error', () => {}); // it died at once: `exited` says so
  child.stdin.end(JSON.stringify(start));
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-TEXT_CHARS_MAX);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const exited = new Promise<EmbeddedExit>((resolve) => {
    const end = (how: string): void => {
      resolve({ how, lastLines: text.split('\n').filter(Boolean).slice(-LAST_LINES_MAX) });
    };
    child.once('exit', (code, signal) => end(signal ? `signal ${signal}` : `exit code ${code}`));
    child.once('error', (error) => end(error.message));
  });
  return {
    pid: child.pid ?? 0,
    exited,
    kill: () => child.kill('SIGKILL'),
    stop: async () => {
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
      await exited;
      clearTimeout(killer);
    },
  };
}

function requireLibrary(from: string): string {
  try {
    return createRequire(from).resolve(ENGINE_LIBRARY);
  } catch (cause) {
    throw new BigtraceError(
      'invalid_option',
      `no embedded ClickHouse for ${process.platform} ${process.arch}: ` +
        'give a server of your own by --clickhouse URL',
      { cause },
    );
  }
}
