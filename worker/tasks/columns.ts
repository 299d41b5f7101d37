/** Columns of an answer, and what kinds of cells they hold. */
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import { KindsCollector } from '../../lib/query-result/index.ts';

export interface ResultColumn {
  name: Uint8Array;
  /** Set of bits `1 << CellType`. */
  kinds: number;
}

export function columnsFound(collector: KindsCollector): ResultColumn[] {
  return collector.columns().map(({ name, kinds }) => ({ name: bytesFromText(name), kinds }));
}

/** The columns of results that are there already; lets others run between them. */
export async function columnsOf(results: Iterable<Uint8Array>): Promise<ResultColumn[]> {
  const collector = new KindsCollector();
  for (const result of results) {
    collector.add(result);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return columnsFound(collector);
}
