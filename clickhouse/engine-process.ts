/** The embedded engine as a child process. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { BigtraceError } from '../common/errors.ts';

const STOP_MS_MAX = 5_000;
const LAST_LINES_MAX = 12;
const TEXT_CHARS_MAX = 10_000;

export const ENGINE_LIBRARY = '@chdb/lib-linux-x64-gnu/libchdb.so';

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

/** @throws invalid_option where the engine has no build for this platform. */
export function spawnEngine(options: {
  entry: string;
  arguments: string[];
  env: NodeJS.ProcessEnv;
}): EngineProcess {
  const library = requireLibrary(options.entry);
  const child = spawn(
    process.execPath,
    [options.entry, library, String(process.pid), ...options.arguments],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a terminal's Ctrl-C is for the parent, which stops things in order
      env: { ...options.env, BIGTRACE_NODE: process.execPath },
    },
  );
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
