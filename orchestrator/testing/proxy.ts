/** A TCP proxy that cuts connections, and delays, drops or corrupts data. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export class FaultyProxy {
  readonly #target: string;
  readonly #server = createServer((socket) => this.#accept(socket));
  readonly #sockets = new Set<Socket>();
  address = '';
  /** Delay of all data, in ms. */
  delayMs = 0;
  /** Drops all data while connections stay open. */
  swallows = false;
  /** Called with each piece of data from the worker; may change its bytes. */
  spoil: (piece: Buffer) => void = () => undefined;

  constructor(target: string) {
    this.#target = target;
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.address = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  /** Resets every connection; new ones are accepted. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  stop(): void {
    this.#server.close();
    this.cut();
  }

  #accept(near: Socket): void {
    const [host = '', port = ''] = this.#target.split(':');
    const far = connect(Number(port), host);
    this.#pass(near, far, () => undefined);
    this.#pass(far, near, (piece) => this.spoil(piece));
  }

  #pass(from: Socket, to: Socket, spoil: (piece: Buffer) => void): void {
    this.#sockets.add(from);
    from.setNoDelay();
    from.on('data', (piece) => {
      if (this.swallows) return;
      spoil(piece);
      if (this.delayMs === 0) to.write(piece);
      else setTimeout(() => to.write(piece), this.delayMs);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
