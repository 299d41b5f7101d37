/** Starts resident bridges in front of an orchestrator whose responses a test defines. */
import { afterEach, expect } from 'vitest';
import {
  PLAINTEXT_SERVER,
  type ServerSecurity,
} from '../../lib/common/options/server-security-options.ts';
import { type Stub, startStub } from '../testing.ts';
import { startBridgeServer } from './server.ts';

/** Returns a function that starts a bridge and resolves to its URL. Each is stopped when its test has ended. */
export function bridgeServices(): (
  stub: Stub,
  security?: Partial<ServerSecurity>,
) => Promise<string> {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });
  return async (stub, security = {}) => {
    const { address, server } = await startStub(stub);
    const bridge = await startBridgeServer(
      {
        socket: '127.0.0.1:0',
        security: { ...PLAINTEXT_SERVER, ...security },
        orchestrator: address,
        orchestratorCredentials: {},
        tables: undefined,
        json: false,
        logLevel: 'silent',
        drainMs: 1000,
      },
      (error) => expect.unreachable(String(error)),
    );
    stops.push(() => {
      bridge.stop();
      server.forceShutdown();
    });
    return bridge.http;
  };
}
