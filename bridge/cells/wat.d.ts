/** WebAssembly text, which the build assembles (tools/build/wat.mjs). */
declare module '*.wat' {
  const bytes: Buffer;
  export default bytes;
}
