/**
 * Reads the request that a view sends to the resident bridge as a header: the columns of a row (request.ts), joined by
 * `.`. A text is in base64. An array begins with `[`, and each of its texts ends with `,`. ClickHouse builds it from
 * functions that no setting changes (clickhouse/views/url-source.mjs). No I/O.
 */
import { BigtraceError } from '../../lib/common/errors.ts';
import type { RequestRow } from './request.ts';

const HEADER = /^\[[A-Za-z0-9+/=.,[]*$/;

/** @throws invalid_option if the header is missing or malformed */
export function rowOfHeader(header: string | undefined): RequestRow {
  if (header === undefined || !HEADER.test(header))
    throw new BigtraceError(
      'invalid_option',
      'the header X-Bigtrace-Request is missing or malformed: only views of `bigtrace clickhouse install` may send requests here',
    );
  const [traces = '', ...others] = header.split('.');
  const last = others.at(-1) ?? '';
  const sample = last.startsWith('[') ? arrayOf(last) : undefined;
  const texts = (sample === undefined ? others : others.slice(0, -1)).map(textOf);
  return { traces: arrayOf(traces), texts, ...(sample === undefined ? {} : { sample }) };
}

function arrayOf(field: string): Buffer[] {
  return field.slice(1).split(',').slice(0, -1).map(textOf);
}

function textOf(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}
