/** Starts sending spans to OpenTelemetry. Its packages are loaded only if there is a receiver. */
import type { Logger } from './log.ts';
import type { Tracing } from './tracing.ts';

/** @param endpoint base URL of an OTLP receiver; without one there are no spans */
export async function startTracing(
  service: string,
  endpoint: string | undefined,
  log: Logger,
): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined;
  const { OtlpTracing } = await import('./otlp.ts');
  return new OtlpTracing(service, endpoint, log);
}
