/** What a question's answer is, one way: for each trace its rows or its failure, or one error for the whole. */
import { printable } from '../../lib/common/text/byte-text.ts';
import { pathOf } from './traces.ts';

export type Way = 'grpc' | 'native' | 'tsv';

export interface Failure {
  code: string;
  message: string;
}

export interface Rows<Row> {
  /** Their bytes, as latin1. */
  names: string[];
  rows: Row[];
}

export interface WayAnswer<Row> {
  /** Where the whole query failed. */
  error: Failure | undefined;
  /** Types of ClickHouse's columns; none over gRPC. */
  types: string[];
  /** By path below the root of `/local`. */
  traces: Map<string, Rows<Row> | Failure>;
}

export function isFailure(answer: object): answer is Failure {
  return 'code' in answer;
}

/**
 * What differs from run to run is left out: which trace a query's error tells of, how often a trace was tried, that it is
 * barred, and the engine’s clock.
 */
export function steady(message: string): string {
  return message
    .replace(/, such as \[.*?(?=; \d+ \w+, such as|$)/gs, '')
    .replace(/ \(tried \d+ times\)/g, '')
    .replace(/; it is barred now; .*? lets it be loaded again/gs, '')
    .replace(/\[\/local\/[^\]]*\]/g, '[TRACE]')
    .replace(/\[\d{3}\.\d{3}\]/g, '[TIME]')
    .replace(/trace_uuid: [-0-9a-f]+/g, 'trace_uuid: UUID');
}

/** How the files and reports name a trace: one line, whatever its name holds. */
export function shown(address: string): string {
  return printable(pathOf(address));
}
