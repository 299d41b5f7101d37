import { CompletionContext } from '@codemirror/autocomplete';
import { EditorState } from '@codemirror/state';
import { expect, it } from 'vitest';
import type { Vocabulary } from '../../http-api/contract/console.ts';
import { completionOf, includedModules } from './completion.ts';

const column = (name: string) => ({ name, type: 'LONG', about: '' });
const table = (name: string, ...columns: string[]) => ({
  ...{ name, isView: true, about: '', columns: columns.map(column) },
});
const VOCABULARY: Vocabulary = {
  ...{ engine: 'Perfetto v55.3', engineName: 'bundled' },
  modules: [
    {
      name: '',
      tables: [table('stats', 'severity')],
      functions: [
        { name: 'hash', kind: 'scalar', about: '', args: [], returns: '', columns: [] },
        { name: 'cast_int', kind: 'macro', about: '', args: [], returns: 'Expr', columns: [] },
      ],
    },
    { name: 'prelude.views', tables: [table('slice', 'id', 'dur')], functions: [] },
    { name: 'slices.flow', tables: [table('flows', 'id', 'slice_out')], functions: [] },
  ],
};

/** Returns what is offered at the end of the text. */
async function offered(text: string): Promise<Record<string, string | undefined>> {
  const state = EditorState.create({ doc: text });
  const result = await completionOf(VOCABULARY)(new CompletionContext(state, text.length, true));
  return Object.fromEntries((result?.options ?? []).map(({ label, detail }) => [label, detail]));
}

it('offers all names, and says which module has those that the script does not include', async () => {
  expect(await offered('SELECT ')).toEqual({
    ...{ stats: '', hash: '', 'cast_int!': '', slice: '', flows: 'slices.flow' },
  });
  expect(await offered('INCLUDE PERFETTO MODULE slices.flow;\nSELECT ')).toMatchObject({
    flows: '',
  });
});

it('offers the columns of the tables that the script names', async () => {
  expect(await offered('SELECT x FROM slice WHERE ')).toMatchObject({
    ...{ id: 'slice long', dur: 'slice long' },
  });
  const alias = await offered('SELECT x FROM flows AS f JOIN slice s WHERE f.');
  expect(alias).toEqual({ id: 'flows long', slice_out: 'flows long' });
  expect(await offered('SELECT x FROM flows f JOIN slice s WHERE s.')).toEqual({
    ...{ id: 'slice long', dur: 'slice long' },
  });
  expect(await offered('SELECT nobody.')).toEqual({});
});

it('offers the modules behind INCLUDE PERFETTO MODULE', async () => {
  expect(await offered('INCLUDE PERFETTO MODULE sl')).toEqual({ 'slices.flow': undefined });
});

it('finds the modules that a script includes', () => {
  const script = 'include perfetto module A.b;\nINCLUDE  PERFETTO MODULE c;';
  expect(includedModules(script)).toEqual(new Set(['a.b', 'c']));
});
