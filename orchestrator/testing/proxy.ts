/** A TCP proxy that cuts, delays, swallows and corrupts what passes through it. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export class FaultyProxy {
  readonly #target: string;
  readonly #server = createServer((socket) => this.#accept(socket));
  readonly #sockets = new Set<Socket>();
  address = '';
  /** Milliseconds that everything is held up. */
  delayMs = 0;
  /** Nothing passes; connections stay. */
  swallows = false;
  /** Called for each piece from the worker; may change its bytes. */
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

  /** Breaks every connection; new ones are taken. */
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
