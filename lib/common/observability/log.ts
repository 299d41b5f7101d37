/** Writes JSON logs to stderr, one object per line. stdout is for data. */
import { type Logger, pino } from 'pino';
import { droppedLogLine, lossyOutput } from './lossy-writer.ts';

export type { Logger };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export function createLogger(service: string, level: LogLevel): Logger {
  const destination = lossyOutput(2, (lines, reason) => droppedLogLine(service, lines, reason));
  return pino({ level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

/** Creates the logger of a whole process: Node's warnings are logged too, as JSON. */
export function createProcessLogger(service: string, level: LogLevel): Logger {
  const logger = createLogger(service, level);
  process.removeAllListeners('warning'); // Node's listener writes plain text
  process.on('warning', (warning) => logger.warn({ err: warning }, 'Node warns'));
  return logger;
}
