/** Sessions by ID. One ends after a time without a request, but never while a request or a stream of it is open. */
import { LRUCache } from 'lru-cache';

interface Entry<Session extends object> {
  session: Session;
  open: number;
}

export class OpenSessions<Session extends object> {
  readonly #idleMs: number;
  readonly #entries: LRUCache<string, Entry<Session>>;

  /** @param end is called once for each session that ends. */
  constructor(max: number, idleMs: number, end: (session: Session) => void) {
    this.#idleMs = idleMs;
    this.#entries = new LRUCache<string, Entry<Session>>({
      max,
      ttl: idleMs,
      ttlAutopurge: true,
      perf: Date, // a clock that tests can set
      dispose: ({ session }) => end(session),
    });
  }

  /** Adds a session that has one open request. */
  add(id: string, session: Session): void {
    this.#keep(id, { session, open: 1 });
  }

  get(id: string): Session | undefined {
    return this.#entries.get(id)?.session;
  }

  /** A request or a stream of the session has begun. */
  opened(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.open++;
    this.#keep(id, entry);
  }

  /** A request or a stream of the session has ended. */
  closed(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.open--;
    this.#keep(id, entry);
  }

  delete(id: string): void {
    this.#entries.delete(id);
  }

  all(): Session[] {
    return [...this.#entries.values()].map(({ session }) => session);
  }

  /** Ends all sessions. */
  clear(): void {
    this.#entries.clear();
  }

  /** Sets the time after which the session ends; a time of 0 is none. */
  #keep(id: string, entry: Entry<Session>): void {
    this.#entries.set(id, entry, { ttl: entry.open > 0 ? 0 : this.#idleMs });
  }
}
