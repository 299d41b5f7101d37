/** Runs `work` when no other process of this user does work of that name. */
export function oneAtATime<T>(name: string, work: () => T | Promise<T>): Promise<T>;
