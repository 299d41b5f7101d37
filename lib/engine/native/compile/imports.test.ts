import { expect, test } from 'vitest';
import { importsSource } from './imports.ts';

const HEADER = `void wasm2c_tp_instantiate(w2c_tp*, struct w2c_env*, struct w2c_wasi*);

/* import: 'env' '_abort_js' */
void w2c_env_0x5Fabort_js(struct w2c_env*);
void wasm_tailcall_w2c_env_0x5Fabort_js(void **instance_ptr, void *tail_call_stack, wasm_rt_tailcallee_t *next);

/* import: 'wasi' 'seek' */
u32 w2c_wasi_seek(struct w2c_wasi*, u32, u64, f64);

/* export: 'memory' */
wasm_rt_memory_t* w2c_tp_memory(w2c_tp* instance);
`;

test('each import becomes a function that calls JavaScript', () => {
  expect(importsSource(HEADER, 'wasm 1 host 2').split('\n')).toEqual([
    '#define BUILT "wasm 1 host 2"',
    'static const char *const import_names[] = {"env _abort_js", "wasi seek"};',
    'static void instantiate(struct instance *instance) {',
    '  wasm2c_tp_instantiate(&instance->module, (struct w2c_env*)instance, (struct w2c_wasi*)instance);',
    '}',
    'void w2c_env_0x5Fabort_js(struct w2c_env* closure) ' +
      '{ call_import((struct instance *)closure, 0, "v", (union value[]){{0}}); }',
    'u32 w2c_wasi_seek(struct w2c_wasi* closure, u32 a0, u64 a1, f64 a2) { return call_import(' +
      '(struct instance *)closure, 1, "iiIF", (union value[]){{.i = a0}, {.I = a1}, {.F = a2}}).i; }',
    '',
  ]);
});

test.each([
  ['a type that the host cannot pass', HEADER.replace('f64', 'v128'), 'a value of type v128'],
  ['too many values', HEADER.replace('f64', 'u32, u32, u32, u32, u32, u32, u32'), '9 arguments'],
  ['another way of declaring', HEADER.replaceAll('import:', 'imports:'), 'in another way'],
])('%s is an error', (_what, header, message) => {
  expect(() => importsSource(header, '')).toThrow(message);
});
