/** Translates errors of the AWS SDK and of S3 into BigtraceError. */
import { BigtraceError } from '../../common/errors.ts';
import { connectionError, statusError } from '../http-request.ts';

/** Error names of S3 and of the SDK that mean missing, wrong or expired credentials. */
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
  // A response to HEAD has no body; the SDK then reports only "UnknownError".
  const isKnown = thrown.message !== 'UnknownError';
  const why = isKnown ? `${thrown.name}: ${thrown.message}` : '';
  if (CREDENTIAL_ERRORS.has(thrown.name))
    return new BigtraceError('unauthenticated', `the store rejected the credentials: ${why}`, {
      cause: thrown,
    });
  if (thrown.message === 'Region is missing')
    return new BigtraceError(
      'invalid_option',
      'no S3 region is set; use --s3-region or AWS_REGION',
    );
  const status = httpStatus(thrown);
  return status === undefined ? connectionError(thrown, signal) : statusError(status, why);
}

/** Whether the error is a 400 or 403 without a reason, so that another request may return the reason. */
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
