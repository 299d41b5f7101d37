/** Writes the code cache of the bridge beside it. @param program path of bridge.cjs */
export function warmBridge(program: string): Promise<void>;
