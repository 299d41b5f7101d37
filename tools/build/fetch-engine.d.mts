/** Directory of the engine: the wasm, its LICENSE, and VERSION, which says where they are from. */
export const ENGINE_DIR: string;
/** Path of the wasm. */
export const ENGINE_WASM: string;
/** Returns the path of the wasm; downloads it (26 MB) where it is not there yet. */
export function fetchEngine(say?: (message: string) => void): Promise<string>;
