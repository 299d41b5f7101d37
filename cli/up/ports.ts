/** Checks before the start that ports are free, so that the error names the flag. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BigtraceError } from '../../lib/common/errors.ts';
import { bindFailure } from '../../lib/common/network/free-port.ts';

export interface PortFlag {
  port: number;
  /** The flag that sets the port. */
  flag: string;
}

const RETRY_MS = 100;

/**
 * Waits up to `waitMs` in all for the ports to become free. Port 0 is always free.
 * @throws invalid_option naming the port and its flag
 */
export async function checkPorts(host: string, ports: PortFlag[], waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs;
  for (const { port, flag } of ports) {
    if (port === 0) continue;
    for (;;) {
      const failure = await bindFailure(host, port);
      if (failure === undefined) break;
      if (failure.code !== 'EADDRINUSE')
        throw new BigtraceError(
          'invalid_option',
          `cannot listen on ${host}:${port} (--listen, ${flag}): ${failure.message}`,
        );
      if (performance.now() >= deadline)
        throw new BigtraceError(
          'invalid_option',
          `port ${port} of ${host} is in use; choose another with ${flag} (0 picks a free one)`,
        );
      await sleep(RETRY_MS);
    }
  }
}
