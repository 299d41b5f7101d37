/** How the command ends: its exit codes, and the one line that says why. */
import { CommanderError } from 'commander';
import { asBigtraceError } from '../lib/common/errors.ts';
import { lossyOutput } from '../lib/common/observability/lossy-writer.ts';
import { printable } from '../lib/common/text/byte-text.ts';

export const EXIT = {
  ok: 0,
  failed: 1,
  /** Flags or arguments that are wrong; nothing was begun. */
  usage: 2,
  /** Lenient queries: there are rows, but some traces failed. */
  partial: 3,
  /** 128 + SIGINT, as shells have it. */
  interrupted: 130,
} as const;

/** The exit code for what a command threw, after saying it on stderr (commander says its own). */
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
