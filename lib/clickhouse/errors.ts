/** Translates errors of ClickHouse, and of the connection to it, to errors with a code. */
import { ClickHouseError, parseError } from '@clickhouse/client';
import { BigtraceError, ERROR_CODES, type ErrorCode, isErrorCode } from '../common/errors.ts';

/** How a client reports what ClickHouse answers. */
export interface ErrorPolicy {
  /** Code of a statement that ClickHouse rejects. */
  rejected: ErrorCode;
  /** Code if the user lacks a grant, or the database is missing. */
  denied: ErrorCode;
  /** Code if ClickHouse cannot be reached, or rejects the login. */
  unavailable: ErrorCode;
  /** Begins the message of a rejected statement; undefined for the server's address. */
  subject: string | undefined;
}

export const CATALOG_POLICY: ErrorPolicy = {
  rejected: 'catalog_failed',
  denied: 'catalog_failed',
  unavailable: 'catalog_failed',
  subject: undefined,
};

/**
 * Matches `message (code)`: the last line that the bridge writes to stderr, or what the resident bridge sends, before
 * the first row as the body of a response, later in the type of a column (bridge/service/answer.ts).
 */
const BRIDGE_SAYS = new RegExp(
  `(?:Executable generates stderr: |bytes, body: '|Value 300 for element ')(.*) \\((${Object.keys(ERROR_CODES).join('|')})\\)`,
  's',
);

const LOGIN = /AUTHENTICATION|UNKNOWN_USER|WRONG_PASSWORD|REQUIRED_PASSWORD|IP_ADDRESS/;
const GRANTS = /ACCESS_DENIED|UNKNOWN_DATABASE/;

/**
 * Returns a BigtraceError for what a request threw. If ClickHouse's text contains an error of the bridge, it has the
 * bridge's message and code.
 * @param url of ClickHouse, without credentials
 */
export function clickHouseError(thrown: unknown, url: string, policy: ErrorPolicy): BigtraceError {
  if (thrown instanceof BigtraceError) return thrown;
  const text = thrown instanceof Error ? thrown.message || String(thrown) : String(thrown);
  const whole = thrown instanceof ClickHouseError ? thrown.cause : undefined; // server-error.ts
  const ofBridge = BRIDGE_SAYS.exec(typeof whole === 'string' ? whole : text);
  const code = ofBridge?.[2] ?? '';
  if (ofBridge !== null && isErrorCode(code))
    return new BigtraceError(code, ofBridge[1] ?? '', { cause: thrown });
  const server = `ClickHouse at ${url}`;
  if (!(thrown instanceof ClickHouseError))
    return new BigtraceError(policy.unavailable, `${server} cannot be reached: ${text}`, {
      cause: thrown,
    });
  const type = thrown.type ?? '';
  if (LOGIN.test(type))
    return new BigtraceError(policy.unavailable, `${server}: ${text}`, { cause: thrown });
  return new BigtraceError(codeOf(type, policy), `${policy.subject ?? server}: ${text}`, {
    cause: thrown,
  });
}

/** ClickHouse's type of the error, such as TABLE_ALREADY_EXISTS; undefined if it is not an error of ClickHouse. */
export function clickHouseErrorType(thrown: unknown): string | undefined {
  const { cause } = thrown as { cause?: unknown };
  return cause instanceof ClickHouseError ? (cause.type ?? '') : undefined;
}

/** Returns the error whose text ClickHouse wrote into its query log. */
export function loggedError(text: string, url: string, policy: ErrorPolicy): BigtraceError {
  return clickHouseError(parseError(text), url, policy);
}

function codeOf(type: string, { rejected, denied }: ErrorPolicy): ErrorCode {
  if (type === 'QUERY_WAS_CANCELLED') return 'cancelled';
  if (type === 'TIMEOUT_EXCEEDED') return 'deadline_exceeded';
  if (type === 'TOO_MANY_SIMULTANEOUS_QUERIES') return 'too_many_queries';
  if (/^(TOO_MANY|MEMORY_LIMIT|QUERY_IS_TOO_LARGE)/.test(type)) return 'limit_exceeded';
  return GRANTS.test(type) ? denied : rejected;
}
