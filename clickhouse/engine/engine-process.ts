/** The embedded engine as a child process. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BigtraceError } from '../../lib/common/errors.ts';
import type { Confinement } from '../confinement/confine.ts';

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
  /** The last that it said of what is wrong with it. */
  reasons(): string[];
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
  /** What it runs first. */
  queriesFile: string;
  /** For it, and for the scripts that it executes. */
  env: NodeJS.ProcessEnv;
  /** Where it works. */
  directory: string;
  /** Whether to start where the kernel cannot confine it. */
  insecure: boolean;
  /** What it may reach besides the system's own and its program. */
  confinement: Confinement;
  /** Takes its log. */
  log: (chunk: Buffer) => void;
}

/** What embedded.ts is told. */
export interface EngineStart extends Omit<EngineOptions, 'entry' | 'log'> {
  library: string;
  parentPid: number;
}

/** @throws invalid_option where the engine has no build for this platform. */
export function spawnEngine({ entry, log, ...options }: EngineOptions): EngineProcess {
  const { readable, executable } = options.confinement;
  const start: EngineStart = {
    ...options,
    env: { ...options.env, BIGTRACE_NODE: process.execPath },
    confinement: {
      ...options.confinement,
      readable: [...readable, dirname(entry)],
      executable: [
        ...executable,
        process.execPath,
        join(dirname(process.execPath), '../lib'), // of a node that is not one file
      ],
    },
    library: requireLibrary(entry),
    parentPid: process.pid,
  };
  const child = spawn(process.execPath, [entry], {
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true, // a terminal's Ctrl-C is for the parent, which stops things in order
    env: {},
    cwd: options.directory,
  });
  child.stdin.on('error', () => {}); // it died at once: `exited` says so
  child.stdin.end(JSON.stringify(start));
  let text = '';
  const keep = (chunk: Buffer): void => {
    log(chunk);
    text = (text + chunk.toString()).slice(-TEXT_CHARS_MAX);
  };
  child.stderr.on('data', keep);
  const exited = new Promise<EmbeddedExit>((resolve) => {
    const end = (how: string): void => {
      resolve({ how, lastLines: reasonsIn(text) });
    };
    child.once('exit', (code, signal) => end(signal ? `signal ${signal}` : `exit code ${code}`));
    child.once('error', (error) => end(error.message));
  });
  return {
    pid: child.pid ?? 0,
    exited,
    reasons: () => reasonsIn(text),
    kill: () => child.kill('SIGKILL'),
    stop: async () => {
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
      await exited;
      clearTimeout(killer);
    },
  };
}

/** The last that was said, less what tells no reason: a healthy engine's log, and addresses of its code. */
export function reasonsIn(text: string): string[] {
  const isReason = (line: string): boolean =>
    line !== '' && !/<(Information|Warning)>|^\d+\. |^ \(version /.test(line);
  return text.split('\n').filter(isReason).slice(-LAST_LINES_MAX);
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
