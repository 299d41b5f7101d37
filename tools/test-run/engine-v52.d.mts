export const ENGINE_V52: string;
export function fetchEngineV52(): Promise<string>;
