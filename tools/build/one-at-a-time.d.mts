/** Runs `work` while no other process of this user runs work of the same name. */
export function oneAtATime<T>(name: string, work: () => T | Promise<T>): Promise<T>;
