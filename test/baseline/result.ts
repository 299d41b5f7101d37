/** The result of a query over one way: for each trace its rows or its failure, or one error of the whole query. */
import { printable } from '../../lib/common/text/byte-text.ts';
import { pathOf } from './traces.ts';

export type Way = 'grpc' | 'native' | 'tsv';

export interface Failure {
  code: string;
  message: string;
}

export interface Rows<Row> {
  /** The bytes of the column names, as latin1. */
  names: string[];
  rows: Row[];
}

export interface WayResult<Row> {
  /** Set if the whole query failed. */
  error: Failure | undefined;
  /** Types of the ClickHouse columns; empty over gRPC. */
  types: string[];
  /** Results by the path of the trace below the root of `/local`. */
  traces: Map<string, Rows<Row> | Failure>;
}

export function isFailure(result: object): result is Failure {
  return 'code' in result;
}

/**
 * Removes the parts of a message that differ between runs: the trace that a query's error names, the number of
 * attempts, that the trace is barred, the engine's clock, and trace UUIDs.
 */
export function steady(message: string): string {
  return message
    .replace(/, such as \[.*?(?=; \d+ \w+, such as|$)/gs, '')
    .replace(/ \(tried \d+ times\)/g, '')
    .replace(/; the trace is barred now; .*? allows another load/gs, '')
    .replace(/\[\/local\/[^\]]*\]/g, '[TRACE]')
    .replace(/\[\d{3}\.\d{3}\]/g, '[TIME]')
    .replace(/trace_uuid: [-0-9a-f]+/g, 'trace_uuid: UUID');
}

/** Returns the name of a trace in digest files and reports; it has no line breaks. */
export function shown(address: string): string {
  return printable(pathOf(address));
}
