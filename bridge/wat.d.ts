/** WebAssembly text, which the build assembles (tools/wat.mjs). */
declare module '*.wat' {
  const bytes: Buffer;
  export default bytes;
}
