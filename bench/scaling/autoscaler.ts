/**
 * How many workers an autoscaler wants, as Kubernetes' HorizontalPodAutoscaler computes it: by a metric every 15 s, within
 * the bounds and rates of `behavior` in k8s/base/worker.yaml and k8s/components/keda.
 */

export interface Observed {
  second: number;
  /** Workers that run. */
  ready: number;
  /** Workers that run or start. */
  replicas: number;
  /** Part of the processors of the running workers that is in use, from 0 to 1. */
  utilization: number;
  /** Traces of queries that are not done. */
  traces: number;
}

export interface Policy {
  name: string;
  min: number;
  max: number;
  /** Returns the number of workers that the metric asks for. */
  wants(observed: Observed): number;
  /** After the last query, KEDA keeps one worker for this time before none is left; only with `min` 0. */
  cooldownS: number;
}

const SYNC_S = 15;
const TARGET_UTILIZATION = 0.7;
/** A ratio closer to 1 than this changes nothing. */
const TOLERANCE = 0.1;
const UP = { factor: 2, periodS: 30 };
const DOWN = { part: 0.25, periodS: 120, stabilizationS: 900 };

/** As k8s/base/worker.yaml. */
export function byCpu(min: number, max: number): Policy {
  const wants = ({ ready, replicas, utilization }: Observed): number => {
    const ratio = utilization / TARGET_UTILIZATION;
    return Math.abs(ratio - 1) <= TOLERANCE ? replicas : Math.ceil(ready * ratio);
  };
  return { name: `CPU, ${min} to ${max}`, min, max, wants, cooldownS: 0 };
}

/** As k8s/components/keda. */
export function byTraces(min: number, max: number, tracesPerWorker = 16): Policy {
  const wants = ({ traces }: Observed): number => Math.ceil(traces / tracesPerWorker);
  return { name: `what waits, ${min} to ${max}`, min, max, wants, cooldownS: 900 };
}

export function fixed(count: number): Policy {
  return { name: `always ${count}`, min: count, max: count, wants: () => count, cooldownS: 0 };
}

/** Decides once a second; most decisions are those of the last sync. */
export class Autoscaler {
  readonly #policy: Policy;
  #decided: number;
  /** What was wanted at each sync of the stabilization window. */
  #wanted: { second: number; count: number }[] = [];
  #changes: { second: number; from: number }[] = [];
  #activeAt = Number.NEGATIVE_INFINITY;

  constructor(policy: Policy) {
    this.#policy = policy;
    this.#decided = policy.min;
  }

  decide(observed: Observed): number {
    const { second, traces } = observed;
    if (traces > 0) this.#activeAt = second;
    if (this.#policy.min === 0 && this.#decided === 0) {
      if (traces > 0) this.#decided = 1; // KEDA is told at once; the autoscaler's rates do not count it
      return this.#decided;
    }
    if (second % SYNC_S === 0) this.#sync(observed);
    if (this.#policy.min === 0 && second - this.#activeAt >= this.#policy.cooldownS)
      this.#decided = 0;
    return this.#decided;
  }

  #sync(observed: Observed): void {
    const { second } = observed;
    const least = Math.max(this.#policy.min, 1);
    const count = Math.min(Math.max(this.#policy.wants(observed), least), this.#policy.max);
    this.#wanted = this.#wanted.filter((one) => second - one.second < DOWN.stabilizationS);
    this.#wanted.push({ second, count });
    const stable = Math.max(...this.#wanted.map((one) => one.count));
    if (count > this.#decided)
      this.#change(
        second,
        Math.max(this.#decided, Math.min(count, this.#before(second, UP.periodS) * UP.factor)),
      );
    else if (stable < this.#decided) {
      const lowest = this.#before(second, DOWN.periodS) * (1 - DOWN.part);
      this.#change(second, Math.max(stable, Math.floor(lowest)));
    }
  }

  /** Returns the number of workers that there was before the changes of the last `periodS` seconds. */
  #before(second: number, periodS: number): number {
    const first = this.#changes.find((change) => second - change.second < periodS);
    return first?.from ?? this.#decided;
  }

  #change(second: number, count: number): void {
    if (count === this.#decided) return;
    this.#changes = this.#changes.filter((one) => second - one.second < DOWN.periodS);
    this.#changes.push({ second, from: this.#decided });
    this.#decided = count;
  }
}
