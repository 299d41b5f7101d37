/** Starts to send spans to an OpenTelemetry receiver. Its packages are loaded only if there is one. */
import type { Logger } from './log.ts';
import type { Tracing } from './tracing.ts';

/** @param endpoint base URL of an OTLP receiver; undefined: no spans are recorded */
export async function startTracing(
  service: string,
  endpoint: string | undefined,
  log: Logger,
): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined;
  const { OtlpTracing } = await import('./otlp.ts');
  return new OtlpTracing(service, endpoint, log);
}
