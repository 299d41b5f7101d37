/** The gRPC health protocol, with which Docker, Kubernetes and load balancers check whether a service is ready. */
import type * as grpc from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

/** The protocol's name for the server as a whole. */
const WHOLE_SERVER = '';

/** Adds the health service to `server`, with status SERVING. Returns a function that sets NOT_SERVING. */
export function addHealth(server: grpc.Server): () => void {
  const health = new HealthImplementation({ [WHOLE_SERVER]: 'SERVING' });
  health.addToServer(server);
  return () => health.setStatus(WHOLE_SERVER, 'NOT_SERVING');
}
