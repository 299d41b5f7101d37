/**
 * Shares a fixed number of permits between users, and each user's share between their queries. A holder that
 * only waits for something else can offer its permit back; `revoke` is called when a user who holds at least
 * two fewer waits.
 */
import { FairQueue, type Turn } from './turns.ts';

export interface Permit {
  /** Returns the permit; further calls do nothing. */
  release(): void;
  /**
   * Offers the permit back: `revoke` is called at most once, and must cause `release()`. Undefined withdraws
   * the offer.
   */
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

  /** Waits for a permit. @throws the signal's reason */
  async acquire(turn: Turn, signal: AbortSignal): Promise<Permit> {
    signal.throwIfAborted();
    if (this.#taken < this.total) return this.#take(turn.user); // nobody waits while a permit is free
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

  /**
   * Revokes an offered permit of the user who holds most, but at least two more than `user`, so that permits
   * do not go back and forth.
   */
  #revokeFor(user: string): void {
    let most = this.#heldBy(user).size + 1;
    let candidate: Holder | undefined;
    for (const holders of this.#holders.values()) {
      if (holders.size <= most) continue;
      for (const holder of holders) {
        if (holder.revoke === undefined) continue;
        candidate = holder;
        most = holders.size;
        break;
      }
    }
    const revoke = candidate?.revoke;
    if (candidate !== undefined) candidate.revoke = undefined;
    revoke?.();
  }

  #heldBy(user: string): ReadonlySet<Holder> {
    return this.#holders.get(user) ?? NOBODY;
  }
}
