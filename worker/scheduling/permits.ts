/**
 * A number of permits, shared by user, then by query. A holder that merely waits for something else can offer
 * its permit back: it is asked to when a user who holds fewer waits.
 */
import { FairQueue, type Turn } from './turns.ts';

export interface Permit {
  /** Gives the permit back; only the first call counts. */
  release(): void;
  /** Offers the permit: `revoke` may be called, once, and has to bring about the release. Undefined ends the offer. */
  offer(revoke: (() => void) | undefined): void;
}

interface Holder {
  revoke: (() => void) | undefined;
}

const NOBODY: ReadonlySet<Holder> = new Set();

export class Permits {
  readonly total: number;
  #taken = 0;
  readonly #waiting = new FairQueue<Permit>();
  readonly #holders = new Map<string, Set<Holder>>();

  constructor(total: number) {
    this.total = total;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** @throws the signal's reason. */
  async acquire(turn: Turn, signal: AbortSignal): Promise<Permit> {
    signal.throwIfAborted();
    if (this.#taken < this.total) return this.#take(turn.user); // then nobody waits
    const granted = this.#waiting.wait(turn, signal);
    this.#revokeFor(turn.user);
    return granted;
  }

  #take(user: string): Permit {
    const holder: Holder = { revoke: undefined };
    const holders = this.#holders.get(user);
    if (holders === undefined) this.#holders.set(user, new Set([holder]));
    else holders.add(holder);
    this.#taken++;
    return {
      offer: (revoke) => {
        holder.revoke = revoke;
      },
      release: () => this.#release(user, holder),
    };
  }

  #release(user: string, holder: Holder): void {
    const holders = this.#holders.get(user);
    if (holders?.delete(holder) !== true) return;
    if (holders.size === 0) this.#holders.delete(user);
    this.#taken--;
    const next = this.#waiting.next((one) => this.#heldBy(one).size);
    next?.grant(this.#take(next.turn.user));
  }

  /** Only from a user who holds at least two more, so that permits do not go to and fro. */
  #revokeFor(user: string): void {
    let most = this.#heldBy(user).size + 1;
    let found: Holder | undefined;
    for (const holders of this.#holders.values()) {
      if (holders.size <= most) continue;
      for (const holder of holders) {
        if (holder.revoke === undefined) continue;
        found = holder;
        most = holders.size;
        break;
      }
    }
    const revoke = found?.revoke;
    if (found !== undefined) found.revoke = undefined;
    revoke?.();
  }

  #heldBy(user: string): ReadonlySet<Holder> {
    return this.#holders.get(user) ?? NOBODY;
  }
}
