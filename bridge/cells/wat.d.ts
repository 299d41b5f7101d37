/** The build assembles WebAssembly text to the bytes of a module (tools/build/wat.mjs). */
declare module '*.wat' {
  const bytes: Buffer;
  export default bytes;
}
