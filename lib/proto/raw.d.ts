// `?raw` gives a file's text: Vite (tests) has it built in, tools/build/build.mjs adds it to esbuild.
declare module '*?raw' {
  const text: string;
  export default text;
}
