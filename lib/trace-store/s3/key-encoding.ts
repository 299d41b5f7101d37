/**
 * How a server writes the keys of a listing that was asked for as `encoding-type=url`. Amazon's writes a space as `+`;
 * others write `%20` and leave `+` as it is, and some say that they encoded and did not.
 */

/** In the order in which they are believed where nothing tells them apart. */
const CONVENTIONS = {
  form: (key: string) => decoded(key.replaceAll('+', ' ')),
  percent: (key: string) => decoded(key),
  none: (key: string) => key,
} satisfies Record<string, (key: string) => string | undefined>;

type Convention = keyof typeof CONVENTIONS;

/** Whether there is an object of this key. */
export type HasKey = (key: string) => Promise<boolean>;

export class KeyEncoding {
  /** The conventions that no key has ruled out yet. */
  #possible = Object.keys(CONVENTIONS) as Convention[];

  /** The key itself; where the conventions disagree, the server is asked which of them it follows. */
  async decode(key: string, hasKey: HasKey): Promise<string> {
    const candidates = new Map<string, Convention[]>();
    for (const convention of this.#possible) {
      const name = CONVENTIONS[convention](key);
      if (name !== undefined) candidates.set(name, [...(candidates.get(name) ?? []), convention]);
    }
    const [first = key] = candidates.keys();
    if (candidates.size <= 1) return first;
    for (const [name, conventions] of candidates) {
      if (!(await hasKey(name))) continue;
      this.#possible = conventions;
      return name;
    }
    return first; // it went in the meantime
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
