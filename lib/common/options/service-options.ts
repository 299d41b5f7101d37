/** Flags that all services have, and how services define flags. */
import { Option } from 'commander';
import { durationMs, hostPort, port } from './options.ts';

/** Returns a flag that the environment variable `BIGTRACE_<variable>` can set, too. */
export function option(flags: string, text: string, variable: string): Option {
  return new Option(flags, text).env(`BIGTRACE_${variable}`);
}

const HOUR_MS = 3_600_000;

function durationText(ms: number): string {
  return ms > 0 && ms % HOUR_MS === 0 ? `${ms / HOUR_MS}h` : `${ms / 1000}s`;
}

/** Returns a flag for a time, with its environment variable. */
export function time(flag: string, text: string, defaultMs: number): Option {
  const variable = flag.slice(2).replaceAll('-', '_').toUpperCase();
  return option(`${flag} <time>`, text, variable)
    .default(defaultMs, durationText(defaultMs))
    .argParser(durationMs);
}

/** The flags for the address to listen on. */
export function listenOptions(defaultPort: number): Option[] {
  return [
    option('--listen <host>', 'address to listen on', 'LISTEN').default('127.0.0.1'),
    option('--port <port>', 'port to listen on; 0 picks a free one', 'PORT')
      .default(defaultPort)
      .argParser(port),
    new Option('-s, --socket <host:port>', 'same as --listen and --port together').argParser(
      hostPort,
    ),
  ];
}

/** The flags for the process. @param work what it finishes after SIGTERM */
export function processOptions(work: 'queries' | 'tasks', drainMs: number): Option[] {
  return [
    option('--json', 'print the ready line as a JSON object', 'JSON').default(false),
    option('--log-level <level>', 'lowest level of log lines written to stderr', 'LOG_LEVEL')
      .choices(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info'),
    time('--drain-timeout', `after SIGTERM, time allowed for running ${work} to finish`, drainMs),
  ];
}
