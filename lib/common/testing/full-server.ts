/** For tests: a server that drops connection attempts, as a firewall does: its process is stopped, and its queue full. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const LISTEN = `const server = require('node:net').createServer();
  server.listen(0, '127.0.0.1', 1, () => console.log(server.address().port));`;

export interface FullServer extends AsyncDisposable {
  /** `host:port` */
  address: string;
}

export async function startFullServer(): Promise<FullServer> {
  const child = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = Number(String((await once(child.stdout, 'data'))[0]));
  child.kill('SIGSTOP');
  const queued: Socket[] = [];
  for (let isOpen = true; isOpen; ) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    queued.push(socket);
    isOpen = await Promise.race([once(socket, 'connect').then(() => true), sleep(200, false)]);
  }
  return {
    address: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of queued) socket.destroy();
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
