import { beforeAll, expect, it } from 'vitest';
import { TraceProcessor } from '../index.ts';
import { queryRows, testEngine } from '../testing.ts';
import { type VocabularyModule, vocabularyOf } from './vocabulary.ts';

let processor: TraceProcessor;
let modules: VocabularyModule[];
beforeAll(async () => {
  const engine = await testEngine();
  processor = new TraceProcessor(engine);
  modules = vocabularyOf(processor, engine);
}, 300_000);

const module = (name: string): VocabularyModule => {
  const found = modules.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no module ${name}`);
  return found;
};

it('has the modules of the standard library, and not those of metrics', () => {
  const names = modules.map(({ name }) => name);
  expect(names).toContain('slices.with_context');
  expect(names).toContain('android.startup.startups');
  expect(names).not.toContain('android.android_anr');
  expect(new Set(names).size).toBe(names.length);
  expect(module('slices.with_context').table[0]).toMatchObject({
    ...{ name: 'thread_slice', isView: true },
    about: 'All thread slices with data about thread, thread track and process.',
  });
});

it('has functions that no module declares, and not those that build metrics', () => {
  const names = module('').function.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(['abs', 'extract_arg', 'hash', 'json_extract', 'lead']),
  );
  expect(names.filter((name) => /metric/.test(name))).toEqual(['unwrap_metric_proto']);
});

it('names only tables and columns that the engine has', () => {
  const included = ['slices.with_context', 'android.startup.startups', 'linux.cpu.frequency'];
  for (const name of included) queryRows(processor, `INCLUDE PERFETTO MODULE ${name}`);
  const tables = modules
    .filter(({ name }) => name.startsWith('prelude.') || included.includes(name))
    .flatMap(({ table }) => table)
    .filter(({ column }) => column.length > 0);
  expect(tables.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['slice', 'thread', 'sched', 'thread_slice', 'android_startups']),
  );
  for (const { name, column } of tables) {
    const names = column.map((each) => `"${each.name}"`).join(', ');
    expect(queryRows(processor, `SELECT ${names} FROM "${name}" LIMIT 0`)).toEqual([]);
  }
});
