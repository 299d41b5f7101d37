/** What the caches of a worker are worth: what is lost if its pod is deleted. */

/** Maximum of the annotation `controller.kubernetes.io/pod-deletion-cost`, which is a 32-bit integer. */
const COST_MAX = 2 ** 31 - 1;
const MIB = 2 ** 20;
/** A difference of less than an eighth is not worth a request. */
const NOTABLE = 1 / 8;

/** Returns the MiB that the worker holds: loaded traces, snapshots and results. @param gauges of the worker's status */
export function cacheWorth(gauges: Record<string, number>): number {
  const bytesOf = (name: string): number => gauges[name] ?? 0;
  const loaded = bytesOf('loaded_traces') > 0 ? bytesOf('loaded_bytes') : 0;
  const kept = ['snapshots_bytes', 'results_bytes', 'results_on_disk_bytes'].map(bytesOf);
  const bytes = kept.reduce((sum, each) => sum + each, loaded);
  return Math.min(Math.round(bytes / MIB), COST_MAX);
}

/** Returns whether Kubernetes should be told that the worth has changed. */
export function isNotable(before: number, worth: number): boolean {
  return Math.abs(worth - before) > before * NOTABLE;
}
