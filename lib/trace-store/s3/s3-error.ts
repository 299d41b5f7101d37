/** What the AWS SDK and S3 say, as our errors. */
import { BigtraceError } from '../../common/errors.ts';
import { connectionError, statusError } from '../http-request.ts';

/** S3's and the SDK's names of errors that new credentials would cure. */
const CREDENTIAL_ERRORS = new Set([
  'AuthorizationHeaderMalformed',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidToken',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
]);

export function s3Error(thrown: unknown, signal: AbortSignal | undefined): BigtraceError {
  if (!(thrown instanceof Error) || signal?.aborted) return connectionError(thrown, signal);
  // The answer to HEAD has no body, and the SDK then says nothing but "UnknownError".
  const isKnown = thrown.message !== 'UnknownError';
  const why = isKnown ? `${thrown.name}: ${thrown.message}` : '';
  if (CREDENTIAL_ERRORS.has(thrown.name))
    return new BigtraceError('unauthenticated', `the store does not take the credentials: ${why}`, {
      cause: thrown,
    });
  if (thrown.message === 'Region is missing')
    return new BigtraceError('invalid_option', 'no region of S3 is set (--s3-region, AWS_REGION)');
  const status = httpStatus(thrown);
  return status === undefined ? connectionError(thrown, signal) : statusError(status, why);
}

/** A refusal without a reason is worth a second question. */
export function isUnexplained(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    thrown.message === 'UnknownError' &&
    [400, 403].includes(httpStatus(thrown) ?? 0)
  );
}

function httpStatus(thrown: Error): number | undefined {
  const { $metadata } = thrown as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}
