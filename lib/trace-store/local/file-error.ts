/** Translates Node's file errors into BigtraceError, without the path: messages name the requested address. */
import { BigtraceError } from '../../common/errors.ts';
import { notFound } from '../failures.ts';

export function fileError(thrown: unknown): BigtraceError {
  if (thrown instanceof BigtraceError) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
    case 'ELOOP':
    case 'ENXIO':
      return notFound();
    case 'EACCES':
    case 'EPERM':
      return new BigtraceError('forbidden', 'the worker has no permission to read it', {
        cause: thrown,
      });
    default:
      return new BigtraceError('store_failed', `it cannot be read: ${code || String(thrown)}`, {
        cause: thrown,
      });
  }
}
