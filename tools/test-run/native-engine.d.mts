export const ADDONS: string;
export function compileNative(): number;
