/** What every service does as a process: it prints a ready line, and stops on signals. */
import { lossyOutput } from './observability/lossy-writer.ts';

export interface ReadyLine {
  service: string;
  /** `host:port` */
  address: string;
  /** URL, of a service that speaks HTTP. */
  http?: string;
}

/** Prints that the service is ready: a sentence, or a JSON object with the process id. */
export function printReady(ready: ReadyLine, json: boolean): void {
  const { service, address, http } = ready;
  const line = json
    ? JSON.stringify({ ...ready, pid: process.pid })
    : `${service} ready on ${http ?? address}`;
  lossyOutput(1).write(`${line}\n`);
}

export interface StoppableService {
  /** Finishes running work, then stops. */
  drain(): Promise<void>;
  /** Stops at once; also ends a drain. */
  stop(): Promise<void> | void;
}

/**
 * Resolves when the service has stopped. SIGTERM drains it; SIGINT, a second SIGTERM, and the exit of a parent
 * process that started it with an IPC channel stop it at once.
 */
export async function untilStopped(service: StoppableService): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let signalled = false;
    const end = async (atOnce: boolean): Promise<void> => {
      const isSecond = signalled;
      signalled = true;
      await (isSecond || atOnce ? service.stop() : service.drain());
    };
    const on = (event: 'SIGTERM' | 'SIGINT' | 'disconnect', atOnce: boolean): void => {
      process.on(event, () => void end(atOnce).then(resolve, reject));
    };
    on('SIGTERM', false);
    on('SIGINT', true);
    on('disconnect', true);
    // The parent process may have ended while the service started, before anything listened to the event.
    if (process.send !== undefined && !process.connected) process.emit('disconnect');
  });
  if (process.connected) process.disconnect();
}
