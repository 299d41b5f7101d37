/** Returns how many files a process may open. @param limits content of /proc/self/limits */
export function softFileLimit(limits: string): number {
  const [, soft = 'unlimited'] = /^Max open files +(\S+)/m.exec(limits) ?? [];
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
