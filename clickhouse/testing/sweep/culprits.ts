/** Finds which of many settings make a difference, by testing smaller and smaller groups. */

/** Whether the result with these settings is as expected. */
export type Agrees<T> = (group: readonly T[]) => Promise<boolean>;

/**
 * Returns minimal groups that make a difference. Most are single settings; if two halves make a difference only
 * together, the group contains the settings needed from both. A setting can hide the difference of another, so found
 * groups are removed and the rest is tested again until it agrees.
 */
export async function culpritsIn<T>(group: readonly T[], agrees: Agrees<T>): Promise<T[][]> {
  const groups: T[][] = [];
  let rest = [...group];
  while (rest.length > 0 && !(await agrees(rest))) {
    const culprits = await smallest(rest, agrees);
    groups.push(culprits);
    rest = rest.filter((item) => !culprits.includes(item));
  }
  return groups;
}

/** Returns a minimal part of `group` that makes a difference: no item can be omitted. */
async function smallest<T>(group: readonly T[], agrees: Agrees<T>): Promise<T[]> {
  const needed: T[] = [];
  let rest = [...group];
  for (;;) {
    // Binary search for the shortest prefix of `rest` that makes a difference together with `needed`.
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
