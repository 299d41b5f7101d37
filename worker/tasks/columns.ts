/** Determines the columns of a result, and the types of their cells. */
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import { KindsCollector } from '../../lib/query-result/index.ts';

export interface ResultColumn {
  name: Uint8Array;
  /** Bit set: bit `1 << CellType` for each type that occurs. */
  kinds: number;
}

export function columnsFound(collector: KindsCollector): ResultColumn[] {
  return collector.columns().map(({ name, kinds }) => ({ name: bytesFromText(name), kinds }));
}

/** Returns the columns of complete results; yields to the event loop between results. */
export async function columnsOf(results: Iterable<Uint8Array>): Promise<ResultColumn[]> {
  const collector = new KindsCollector();
  for (const result of results) {
    collector.add(result);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return columnsFound(collector);
}
