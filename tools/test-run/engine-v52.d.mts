export function fetchEngineV52(): Promise<string>;
