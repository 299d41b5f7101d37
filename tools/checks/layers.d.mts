export const MAY_IMPORT: Readonly<Record<string, readonly string[] | string>>;
export function importComplaints(path: string, text: string): string[];
