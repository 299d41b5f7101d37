/** The gRPC health protocol, by which Docker, Kubernetes and load balancers ask a service how it is. */
import type * as grpc from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

/** The name of the server as a whole. */
const WHOLE_SERVER = '';

/** Adds it to `server`, serving. Returns what makes it say that the service takes no more work. */
export function addHealth(server: grpc.Server): () => void {
  const health = new HealthImplementation({ [WHOLE_SERVER]: 'SERVING' });
  health.addToServer(server);
  return () => health.setStatus(WHOLE_SERVER, 'NOT_SERVING');
}
