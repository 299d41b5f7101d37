/** Runs the embedded engine, or a server, as a child process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import type { Confinement } from '../confinement/confine.ts';

const LAST_LINES_MAX = 12;
const TEXT_CHARS_MAX = 10_000;

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
  /** Stops the process with SIGTERM, and after a while with SIGKILL. Resolves when it has ended. */
  stop(): Promise<void>;
  /** Kills the process. */
  kill(): void;
}

export interface EngineOptions {
  /** Path of the built embedded.ts or binary/server.ts, which confines itself; undefined: `program` is run as it is. */
  entry: string | undefined;
  /** Path of the engine's library, or of the binary. */
  program: string;
  /** Whether `program` is a binary that replaces the process. */
  isServer?: boolean;
  /** Arguments of clickhouse-local, or of the binary. */
  arguments: string[];
  /** File with the statements that the embedded engine runs first. */
  queriesFile: string;
  /** Environment of the engine and of the scripts that it executes. */
  env: NodeJS.ProcessEnv;
  /** Working directory. */
  directory: string;
  /** Whether to start even if the kernel cannot confine the process. */
  insecure: boolean;
  /** Access beyond that to the system's files and to its own program. */
  confinement: Confinement;
  /** Time from SIGTERM to SIGKILL. */
  stopMsMax: number;
  /** Receives the engine's log. */
  log: (chunk: Buffer) => void;
}

/** The message that the entry reads from stdin. */
export interface EngineStart extends Start {
  parentPid: number;
}

export function spawnEngine({
  entry,
  isServer,
  stopMsMax,
  log,
  ...options
}: EngineOptions): EngineProcess {
  const child = entry === undefined ? spawnAsItIs(options) : spawnConfined(entry, options);
  // Linux ends it with this process, too, but not a program with capabilities, as `clickhouse install` makes one.
  if (isServer && child.pid !== undefined) endWithThisProcess(child, child.pid);
  let text = '';
  const keep = (chunk: Buffer): void => {
    log(chunk);
    text = (text + chunk.toString()).slice(-TEXT_CHARS_MAX);
  };
  child.stderr?.on('data', keep);
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
      const killer = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
      await exited;
      clearTimeout(killer);
    },
  };
}

type Start = Omit<EngineOptions, 'entry' | 'isServer' | 'stopMsMax' | 'log'>;

function spawnConfined(entry: string, options: Start): ChildProcess {
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
  return child;
}

/** For systems without Landlock. */
function spawnAsItIs({ program, directory, env, ...options }: Start): ChildProcess {
  return spawn(program, options.arguments, {
    stdio: ['ignore', 'ignore', 'pipe'],
    argv0: 'clickhouse',
    detached: true, // Ctrl-C reaches only the parent, which stops the processes in order
    env: { ...env, BIGTRACE_NODE: process.execPath },
    cwd: directory,
  });
}

/** Lets a shell wait for the end of its stdin, a pipe of this process, and then kill the child. */
function endWithThisProcess(child: ChildProcess, pid: number): void {
  const watch = spawn('/bin/sh', ['-c', 'read -r _; kill -9 "$1"', 'sh', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watch.on('error', () => {}); // without a shell the child may outlive this process
  child.once('exit', () => watch.kill('SIGKILL'));
}

/** The last lines of a log that may explain a failure. Normal log messages and stack addresses are omitted. */
function reasonsIn(text: string): string[] {
  const isReason = (line: string): boolean =>
    line !== '' && !/<(Information|Warning)>|^\d+\. |^ \(version /.test(line);
  return text.split('\n').filter(isReason).slice(-LAST_LINES_MAX);
}
