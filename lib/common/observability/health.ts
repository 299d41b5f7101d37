/** The gRPC health protocol, with which Docker, Kubernetes and load balancers check whether a service is ready. */
import * as grpc from '@grpc/grpc-js';
import type { HealthCheckRequest, HealthCheckResponseInput } from '../../proto/messages.ts';
import { Health } from '../../proto/services.ts';

/** The protocol's name for the server as a whole. */
const WHOLE_SERVER = '';

type Watch = grpc.ServerWritableStream<HealthCheckRequest, HealthCheckResponseInput>;

/** Adds the health service to `server`, with status SERVING. Returns a function that sets NOT_SERVING. */
export function addHealth(server: grpc.Server): () => void {
  let whole: HealthCheckResponseInput = { status: 'SERVING' };
  const watches = new Set<Watch>();
  server.addService(Health.service, {
    Check: (
      { request: { service } }: { request: HealthCheckRequest },
      reply: grpc.sendUnaryData<HealthCheckResponseInput>,
    ) => {
      if (service === WHOLE_SERVER) reply(null, whole);
      else reply({ code: grpc.status.NOT_FOUND, details: `there is no service ${service}` });
    },
    Watch: (call: Watch) => {
      if (call.request.service !== WHOLE_SERVER) {
        call.write({ status: 'SERVICE_UNKNOWN' });
        return;
      }
      watches.add(call);
      call.on('cancelled', () => watches.delete(call));
      call.write(whole);
    },
    List: (_call: unknown, reply: grpc.sendUnaryData<object>) =>
      reply(null, { statuses: { [WHOLE_SERVER]: whole } }),
  });
  return () => {
    whole = { status: 'NOT_SERVING' };
    for (const call of watches) call.write(whole);
  };
}
