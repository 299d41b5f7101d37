/** JSON logs on stderr (stdout is for data), one object a line. */
import { type Logger, pino } from 'pino';
import { droppedLogLine, lossyOutput } from './lossy-writer.ts';

export type { Logger };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export function createLogger(service: string, level: LogLevel): Logger {
  const destination = lossyOutput(2, (lines, reason) => droppedLogLine(service, lines, reason));
  return pino({ level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

/** The log of a process of its own: Node's warnings go into it, too. */
export function createProcessLogger(service: string, level: LogLevel): Logger {
  const logger = createLogger(service, level);
  process.removeAllListeners('warning'); // Node's own writes text
  process.on('warning', (warning) => logger.warn({ err: warning }, 'Node warns'));
  return logger;
}
