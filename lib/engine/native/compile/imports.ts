/** Writes imports.inc (host/addon.c): C functions that call the module's imports in JavaScript. */

/** The declaration of an import in the header that wasm2c writes. */
const IMPORT = /^\/\* import: '([^']*)' '([^']*)' \*\/\n(\w+) (\w+)\((struct \w+\*)([^)]*)\);$/gm;
const INSTANTIATE = /^void wasm2c_tp_instantiate\(w2c_tp\*((?:, struct \w+\*)*)\);$/m;
/** Types in C, each with its letter in host/addon.c. */
const LETTERS: Record<string, string> = { void: 'v', u32: 'i', u64: 'I', f32: 'f', f64: 'F' };
/** As in host/addon.c. */
const ARGUMENTS_MAX = 8;

/**
 * @param header that wasm2c wrote
 * @param built what the addon states about itself: see `builtOf`
 * @throws Error if the module imports what host/addon.c cannot call
 */
export function importsSource(header: string, built: string): string {
  const names: string[] = [];
  const functions = [...header.matchAll(IMPORT)].map(
    ([, space = '', name = '', result = '', cName = '', closure = '', rest = ''], at) => {
      const types = rest.split(', ').filter((type) => type !== '');
      if (types.length > ARGUMENTS_MAX) throw new Error(`${name} has ${types.length} arguments`);
      names.push(JSON.stringify(`${space} ${name}`));
      return importFunction({ at, result, cName, closure, types });
    },
  );
  const spaces = INSTANTIATE.exec(header)?.[1]?.split(', ').slice(1);
  if (spaces === undefined || functions.length === 0)
    throw new Error('the header of wasm2c has no imports, or declares them in another way');
  const closures = spaces.map((type) => `, (${type})instance`).join('');
  return [
    `#define BUILT ${JSON.stringify(built)}`,
    `static const char *const import_names[] = {${names.join(', ')}};`,
    'static void instantiate(struct instance *instance) {',
    `  wasm2c_tp_instantiate(&instance->module${closures});`,
    '}',
    ...functions,
    '',
  ].join('\n');
}

interface ImportDeclaration {
  at: number;
  result: string;
  cName: string;
  closure: string;
  types: string[];
}

function importFunction({ at, result, cName, closure, types }: ImportDeclaration): string {
  const letters = [result, ...types].map(letterOf);
  const parameters = types.map((type, n) => `, ${type} a${n}`).join('');
  const values = types.map((_, n) => `{.${letters[n + 1]} = a${n}}`).join(', ');
  const call =
    `call_import((struct instance *)closure, ${at}, "${letters.join('')}", ` +
    `(union value[]){${values === '' ? '{0}' : values}})`;
  const body = result === 'void' ? `${call};` : `return ${call}.${letters[0]};`;
  return `${result} ${cName}(${closure} closure${parameters}) { ${body} }`;
}

function letterOf(type: string): string {
  const letter = LETTERS[type];
  if (letter === undefined) throw new Error(`an import has a value of type ${type}`);
  return letter;
}
