/** Runs the embedded engine as a child process. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BigtraceError } from '../../lib/common/errors.ts';
import type { Confinement } from '../confinement/confine.ts';

const STOP_MS_MAX = 5_000;
const LAST_LINES_MAX = 12;
const TEXT_CHARS_MAX = 10_000;

const ENGINE_LIBRARY = '@chdb/lib-linux-x64-gnu/libchdb.so';

/** Exit code if the process could not be confined (confine.ts). */
export const UNCONFINED_EXIT = 77;

export interface EmbeddedExit {
  /** Such as `exit code 1` or `signal SIGKILL`. */
  reason: string;
  lastLines: string[];
}

export interface EngineProcess {
  pid: number;
  exited: Promise<EmbeddedExit>;
  /** The last lines of the log that may explain a failure. */
  reasons(): string[];
  /** Stops the process with SIGTERM, after 5 s with SIGKILL. Resolves when it has ended. */
  stop(): Promise<void>;
  /** Kills the process. */
  kill(): void;
}

export interface EngineOptions {
  /** Path of the built embedded.ts. */
  entry: string;
  /** Arguments of clickhouse-local. */
  arguments: string[];
  /** File with the statements that it runs first. */
  queriesFile: string;
  /** Environment of the engine and of the scripts that it executes. */
  env: NodeJS.ProcessEnv;
  /** Working directory. */
  directory: string;
  /** Whether to start even if the kernel cannot confine the process. */
  insecure: boolean;
  /** Access beyond that to the system's files and to its own program. */
  confinement: Confinement;
  /** Receives the engine's log. */
  log: (chunk: Buffer) => void;
}

/** The message that embedded.ts reads from stdin. */
export interface EngineStart extends Omit<EngineOptions, 'entry' | 'log'> {
  library: string;
  parentPid: number;
}

/** @throws invalid_option if there is no build of the engine for this platform */
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
        join(dirname(process.execPath), '../lib'), // libraries of a dynamically linked Node
      ],
    },
    library: requireLibrary(entry),
    parentPid: process.pid,
  };
  const child = spawn(process.execPath, [entry], {
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true, // Ctrl-C reaches only the parent, which stops the processes in order
    env: {},
    cwd: options.directory,
  });
  child.stdin.on('error', () => {}); // the process died early, which `exited` reports
  child.stdin.end(JSON.stringify(start));
  let text = '';
  const keep = (chunk: Buffer): void => {
    log(chunk);
    text = (text + chunk.toString()).slice(-TEXT_CHARS_MAX);
  };
  child.stderr.on('data', keep);
  const exited = new Promise<EmbeddedExit>((resolve) => {
    const end = (reason: string): void => {
      resolve({ reason, lastLines: reasonsIn(text) });
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

/** The last lines of a log that may explain a failure. Normal log messages and stack addresses are omitted. */
function reasonsIn(text: string): string[] {
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
      `there is no embedded ClickHouse for ${process.platform} ${process.arch}; ` +
        'use your own server with --clickhouse URL',
      { cause },
    );
  }
}
