/**
 * An external scaler of KEDA: tells how many workers the queries of all orchestrators need. Traces that are being
 * processed count as well as those that wait, so that no busy worker is removed.
 */
import type * as grpc from '@grpc/grpc-js';
import { asBigtraceError, BigtraceError } from '../../lib/common/errors.ts';
import { toServiceError } from '../../lib/common/grpc-errors.ts';
import { byteSize } from '../../lib/common/options/options.ts';
import type {
  GetMetricSpecResponse,
  GetMetricsRequest,
  GetMetricsResponse,
  IsActiveResponse,
  OrchestratorStatus,
  ScaledObjectRef,
} from '../../lib/proto/messages.ts';
import { ExternalScaler } from '../../lib/proto/services.ts';
import { respond } from '../grpc/respond.ts';

type Reply<Response> = grpc.sendUnaryData<Response>;

/** Each metric with the key of the trigger's metadata that sets its value per worker, and the default. */
const METRICS = {
  traces: { key: 'tracesPerWorker', perWorker: 16 },
  trace_bytes: { key: 'traceBytesPerWorker', perWorker: 8 * 2 ** 30 },
} as const;

type Metric = keyof typeof METRICS;

export const METADATA_KEYS = Object.values(METRICS).map(({ key }) => key);

const STREAM_INTERVAL_MS = 1000;
const STREAMS_MAX = 64;

/** @param status returns the status of all orchestrators */
export function addScaler(server: grpc.Server, status: () => Promise<OrchestratorStatus>): void {
  let streams = 0;
  server.addService(ExternalScaler.service, {
    IsActive: (_call: unknown, reply: Reply<IsActiveResponse>) =>
      void respond(reply, async () => ({ result: isActive(await status()) })),
    GetMetricSpec: (call: { request: ScaledObjectRef }, reply: Reply<GetMetricSpecResponse>) =>
      void respond(reply, () => ({ metricSpecs: specsOf(call.request.scalerMetadata) })),
    GetMetrics: (call: { request: GetMetricsRequest }, reply: Reply<GetMetricsResponse>) =>
      void respond(reply, async () => metricsOf(await status(), call.request.metricName)),
    StreamIsActive: (call: grpc.ServerWritableStream<ScaledObjectRef, IsActiveResponse>) => {
      if (streams >= STREAMS_MAX) {
        const text = `too many streams of StreamIsActive: ${streams} are open, the bound is ${STREAMS_MAX}`;
        call.emit('error', toServiceError(new BigtraceError('too_many_queries', text)));
        return;
      }
      streams += 1;
      const stop = streamChanges(call, async () => isActive(await status()));
      call.on('close', () => {
        streams -= 1;
        stop();
      });
    },
  });
}

/** Writes whether work exists, at once and after each change. @returns a function that ends it */
function streamChanges(
  call: grpc.ServerWritableStream<ScaledObjectRef, IsActiveResponse>,
  active: () => Promise<boolean>,
): () => void {
  let last: boolean | undefined;
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      const result = await active();
      if (result !== last) call.write({ result });
      last = result;
    } catch (thrown) {
      call.emit('error', toServiceError(asBigtraceError(thrown)));
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), STREAM_INTERVAL_MS);
  void look();
  return () => clearInterval(timer);
}

/** Whether a query or another call needs a worker. Without workers it waits before it knows its traces. */
function isActive({ gauges }: OrchestratorStatus): boolean {
  return (gauges['calls_for_workers'] ?? 0) > 0;
}

function metricsOf({ gauges }: OrchestratorStatus, metricName: string): GetMetricsResponse {
  const { traces_waiting = 0, traces_in_flight = 0, calls_for_workers = 0 } = gauges;
  const values: Record<Metric, number> = {
    traces: Math.max(traces_waiting + traces_in_flight, calls_for_workers),
    trace_bytes: gauges['trace_bytes_unfinished'] ?? 0,
  };
  const names = metricName === '' ? Object.keys(METRICS) : [metricName];
  return {
    metricValues: names.map((name) => {
      const value = isMetric(name) ? values[name] : undefined;
      if (value === undefined) throw unknownMetric(name);
      return { metricName: name, metricValue: value, metricValueFloat: value };
    }),
  };
}

function isMetric(name: string): name is Metric {
  return Object.hasOwn(METRICS, name);
}

function unknownMetric(name: string): BigtraceError {
  const names = Object.keys(METRICS).join(', ');
  return new BigtraceError(
    'invalid_option',
    `there is no metric ${name}; the metrics are ${names}`,
  );
}

/** @param metadata of the trigger @throws invalid_option if one of METADATA_KEYS has no valid number */
export function specsOf(metadata: Record<string, string>): GetMetricSpecResponse['metricSpecs'] {
  return Object.entries(METRICS).map(([metricName, { key, perWorker }]) => {
    const targetSize = targetOf(key, metadata[key]) ?? perWorker;
    return { metricName, targetSize, targetSizeFloat: targetSize };
  });
}

/** @throws invalid_option that names the key of the metadata */
function targetOf(key: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    const target = byteSize(text);
    if (target > 0) return target;
  } catch {
    // Reported below.
  }
  throw new BigtraceError(
    'invalid_option',
    `${key} of the trigger's metadata is ${text}; it must be a number above 0, such as 16 or 8GiB`,
  );
}
