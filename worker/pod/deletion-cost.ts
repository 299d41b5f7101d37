/**
 * Tells Kubernetes what the worker's caches are worth, as the deletion cost of its pod: when the number of workers is
 * lowered, those with the lowest cost are removed.
 */
import type { Logger } from '../../lib/common/observability/log.ts';
import { cacheWorth, isNotable } from './cache-worth.ts';

export const ANNOTATION = 'controller.kubernetes.io/pod-deletion-cost';
const INTERVAL_MS = 15_000;

export interface DeletionCostOptions {
  /** Returns the gauges of the worker's status. */
  gauges: () => Record<string, number>;
  /** Sets an annotation of the worker's pod. */
  annotate: (name: string, value: string) => Promise<void>;
  logger: Logger;
  intervalMs?: number;
}

/** @returns a function that ends the reports */
export function reportDeletionCost(options: DeletionCostOptions): () => void {
  const { gauges, annotate, logger, intervalMs = INTERVAL_MS } = options;
  let told = 0; // a pod without the annotation costs 0
  let failing = false;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const look = async (): Promise<void> => {
    const worth = cacheWorth(gauges());
    try {
      if (isNotable(told, worth)) {
        await annotate(ANNOTATION, String(worth));
        told = worth;
        failing = false;
      }
    } catch (error) {
      if (!failing) logger.warn({ err: error }, 'the deletion cost of the pod cannot be set');
      failing = true;
    }
    if (!stopped) timer = setTimeout(() => void look(), intervalMs).unref();
  };
  timer = setTimeout(() => void look(), intervalMs).unref();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
