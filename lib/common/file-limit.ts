/** How many files this process may open. Node has raised the soft limit to the hard one. */
import { readFileSync } from 'node:fs';

export function openFilesMax(): number {
  try {
    return softFileLimit(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return reportedLimit(); // there is no /proc, as on macOS
  }
}

/** @param limits content of /proc/self/limits */
export function softFileLimit(limits: string): number {
  const [, soft = 'unlimited'] = /^Max open files +(\S+)/m.exec(limits) ?? [];
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

/** The limit of Node's report, which takes some milliseconds. */
export function reportedLimit(): number {
  const report: { userLimits?: { open_files?: { soft: number | 'unlimited' } } } =
    process.report.getReport();
  const soft = report.userLimits?.open_files?.soft ?? 'unlimited';
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
