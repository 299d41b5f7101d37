/** Which of many settings make a difference, found by asking with ever smaller groups of them. */

/** Whether the answer with these is the one that it must be. */
export type Agrees<T> = (group: readonly T[]) => Promise<boolean>;

/**
 * The smallest groups found that make a difference: mostly single settings; where halves that agree differ
 * together, what both of them need. A group that hides another's difference is not asked again without it, so
 * callers ask for what is left, until it agrees.
 */
export async function culpritsIn<T>(group: readonly T[], agrees: Agrees<T>): Promise<T[][]> {
  const found: T[][] = [];
  let rest = [...group];
  while (rest.length > 0 && !(await agrees(rest))) {
    const culprits = await smallest(rest, agrees);
    found.push(culprits);
    rest = rest.filter((item) => !culprits.includes(item));
  }
  return found;
}

/** A part of `group`, which differs, such that no item of it can be left out. */
async function smallest<T>(group: readonly T[], agrees: Agrees<T>): Promise<T[]> {
  const needed: T[] = [];
  let rest = [...group];
  for (;;) {
    // The shortest beginning of `rest` that differs, together with what is needed anyway.
    let [least, most] = [0, rest.length];
    while (least < most) {
      const middle = Math.floor((least + most) / 2);
      if (await agrees([...needed, ...rest.slice(0, middle)])) least = middle + 1;
      else most = middle;
    }
    if (most === 0) return needed;
    needed.push(rest[most - 1] as T);
    rest = rest.slice(0, most - 1);
    if (!(await agrees(needed))) return needed;
  }
}
