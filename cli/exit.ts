/** Exit codes of `bigtrace`, and the error message on stderr. */
import { CommanderError } from 'commander';
import { asBigtraceError, BigtraceError } from '../lib/common/errors.ts';
import { lossyOutput } from '../lib/common/observability/lossy-writer.ts';
import { printable } from '../lib/common/text/byte-text.ts';

export const EXIT = {
  ok: 0,
  failed: 1,
  /** Invalid flags or arguments; nothing was started. */
  usage: 2,
  /** A lenient query returned rows, but some traces failed. */
  partial: 3,
  /** 128 + SIGINT, as in shells. */
  interrupted: 130,
} as const;

/** Prints the error on stderr and returns the exit code. Commander has already printed its own errors. */
export function reportFailure(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const error = asBigtraceError(thrown);
  const lines = error.message.trimEnd().split('\n').map(printable);
  const stderr = lossyOutput(2);
  stderr.write(`bigtrace: ${lines.join('\n  ')}\n`);
  if (error.code === 'internal' && error.cause instanceof Error)
    stderr.write(`${error.cause.stack}\n`);
  if (error.code === 'cancelled') return EXIT.interrupted;
  return error.code === 'invalid_option' ? EXIT.usage : EXIT.failed;
}

/** Node's exit code if nothing is left that could end what the main module waits for. It prints nothing then. */
const NODE_UNSETTLED = 13;

/** Reports it if the process ends before the command has. @returns a function to call when the command has ended */
export function reportEarlyEnd(): () => void {
  const onExit = (): void => {
    if (process.exitCode !== NODE_UNSETTLED) return;
    const text = 'the command stopped halfway: nothing was left that it could wait for';
    process.exitCode = reportFailure(new BigtraceError('internal', text));
  };
  process.on('exit', onExit);
  return () => process.off('exit', onExit);
}
