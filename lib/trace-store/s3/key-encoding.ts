/**
 * Finds out how a server encodes the keys of a listing with `encoding-type=url`. Amazon encodes a space as `+`; other
 * servers encode it as `%20` and leave `+` unencoded, and some claim to encode but do not.
 */

/** Decoders by convention, in order of preference if nothing tells them apart. */
const CONVENTIONS = {
  form: (key: string) => decoded(key.replaceAll('+', ' ')),
  percent: (key: string) => decoded(key),
  none: (key: string) => key,
} satisfies Record<string, (key: string) => string | undefined>;

type Convention = keyof typeof CONVENTIONS;

/** Returns whether an object with this key exists. */
export type HasKey = (key: string) => Promise<boolean>;

export class KeyEncoding {
  /** The conventions that agree with all keys so far. */
  #possible = Object.keys(CONVENTIONS) as Convention[];

  /** Decodes a listed key. If the remaining conventions disagree, `hasKey` decides which one the server uses. */
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
    return first; // the object was deleted in the meantime
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
