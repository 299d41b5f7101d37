// `?raw` imports the text of a file. Vite (tests) supports it; tools/build/build.mjs adds it to esbuild.
declare module '*?raw' {
  const text: string;
  export default text;
}
