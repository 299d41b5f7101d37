/** Runs a load against an autoscaler in virtual time, second by second. */
import { Autoscaler, type Policy } from './autoscaler.ts';
import type { Query } from './load.ts';

export interface Fleet {
  /** Traces that a worker processes at the same time. */
  threads: number;
  /** Time from the decision to start a worker until it works: node, image, process. */
  startS: number;
}

export interface Outcome {
  policy: string;
  /** Hours of all workers, from the decision to start each until it is removed. */
  workerHours: number;
  /** Time from the question to the answer, in seconds, of each query in the order of the load. */
  answerS: number[];
}

interface Running extends Query {
  /** Seconds of a thread that are left. */
  left: number;
  at: number;
}

/** @param seconds length of the day; it goes on until every query is answered */
export function simulate(load: Query[], policy: Policy, fleet: Fleet, seconds: number): Outcome {
  const autoscaler = new Autoscaler(policy);
  /** For each worker, the second from which it works. */
  let workers: number[] = Array.from({ length: policy.min }, () => 0);
  const answerS = load.map(() => 0);
  let running: Running[] = [];
  let utilization = 0;
  let workerSeconds = 0;
  let next = 0;
  for (let second = 0; second < seconds || running.length > 0; second++) {
    for (
      let query = load[next];
      query !== undefined && query.second <= second;
      query = load[next]
    ) {
      running.push({ ...query, left: query.traces * query.secondsPerTrace, at: next });
      next += 1;
    }
    const ready = workers.filter((from) => from <= second).length;
    const observed = {
      second,
      ready,
      replicas: workers.length,
      utilization,
      traces: tracesLeft(running),
    };
    const count = autoscaler.decide(observed);
    while (workers.length < count) workers.push(second + fleet.startS);
    // The youngest are removed: those that start, and those whose caches are worth least.
    workers = workers.slice(0, count);
    const working = workers.filter((from) => from <= second).length;
    utilization =
      working === 0 ? 0 : work(running, working * fleet.threads) / (working * fleet.threads);
    for (const { left, at, second: asked } of running)
      if (left <= 0) answerS[at] = second + 1 - asked;
    running = running.filter(({ left }) => left > 0);
    workerSeconds += workers.length;
  }
  return { policy: policy.name, workerHours: workerSeconds / 3600, answerS };
}

function tracesLeft(running: Running[]): number {
  return running.reduce(
    (sum, { left, secondsPerTrace }) => sum + Math.ceil(left / secondsPerTrace),
    0,
  );
}

/** Shares the threads for one second fairly among the queries. @returns how many threads were used */
function work(running: Running[], threads: number): number {
  let free = threads;
  const byNeed = [...running].sort((one, other) => one.left - other.left);
  for (const [at, query] of byNeed.entries()) {
    const used = Math.min(free / (byNeed.length - at), query.left, query.traces);
    query.left -= used;
    if (query.left < 1e-9) query.left = 0;
    free -= used;
  }
  return threads - free;
}
