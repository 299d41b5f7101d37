/** Bounds the time to connect of gRPC clients, for which grpc-js has no option. */
import * as grpc from '@grpc/grpc-js';

type Client = Pick<grpc.Client, 'getChannel'>;

/** Calls `timedOut` if the client has no connection after `connectMs`. @returns a function that ends the watch */
export function watchConnection(
  client: Client,
  connectMs: number,
  timedOut: () => void,
): () => void {
  const timer = setTimeout(() => {
    const state = client.getChannel().getConnectivityState(false);
    if (state !== grpc.connectivityState.READY) timedOut();
  }, connectMs);
  timer.unref();
  return () => clearTimeout(timer);
}

/** Ends calls with UNAVAILABLE if there is no connection after `connectMs`. @param client returns the calls' client */
export function connectWithin(connectMs: number, client: () => Client): grpc.Interceptor {
  return (options, nextCall) => {
    const call = new grpc.InterceptingCall(nextCall(options), {
      start: (metadata, _listener, next) => {
        const endWatch = watchConnection(client(), connectMs, () =>
          call.cancelWithStatus(grpc.status.UNAVAILABLE, `no connection within ${connectMs} ms`),
        );
        next(metadata, {
          onReceiveStatus: (status, pass) => {
            endWatch();
            pass(status);
          },
        });
      },
    });
    return call;
  };
}
