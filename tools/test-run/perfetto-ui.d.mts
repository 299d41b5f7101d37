export const UI_VERSION: string;
export function fetchPerfettoUi(): Promise<string>;
