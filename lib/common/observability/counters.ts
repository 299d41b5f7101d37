/** Counts what a service has done since its start; `Status` and the metrics report the counters. */
export class Counters<Name extends string> {
  readonly #values: Map<string, number>;

  /** @param helps the help text of each counter, by its name */
  constructor(helps: Record<Name, string>) {
    this.#values = new Map(Object.keys(helps).map((name) => [name, 0]));
  }

  add(name: Name, amount = 1): void {
    this.#values.set(name, this.get(name) + amount);
  }

  get(name: Name): number {
    return this.#values.get(name) ?? 0;
  }

  /** Returns every counter, rounded to a whole number. */
  all(): Record<string, number> {
    return Object.fromEntries([...this.#values].map(([name, value]) => [name, Math.round(value)]));
  }
}
