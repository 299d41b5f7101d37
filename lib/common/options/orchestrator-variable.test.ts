import { expect, test } from 'vitest';
import { orchestratorVariable } from './orchestrator-variable.ts';

const [ours, upstream] = ['BIGTRACE_ORCHESTRATOR', 'BIGTRACE_ORCHESTRATOR_ADDRESS'];

test.each([
  ['neither is set', {}, ours],
  ['ours is set', { [ours]: 'a:1' }, ours],
  ["Perfetto's is set", { [upstream]: 'a:1' }, upstream],
  ["ours is empty and Perfetto's is set", { [ours]: '', [upstream]: 'a:1' }, upstream],
  ["ours is set and Perfetto's is empty", { [ours]: 'a:1', [upstream]: '' }, ours],
  ['both are set to one address', { [ours]: 'a:1', [upstream]: 'a:1' }, ours],
])('orchestratorVariable returns the variable to read when %s', (_, env, name) => {
  expect(orchestratorVariable(env)).toBe(name);
});

test('two different addresses are an error that names both variables and addresses', () => {
  expect(() => orchestratorVariable({ [ours]: 'a:1', [upstream]: 'b:2' })).toThrow(
    'BIGTRACE_ORCHESTRATOR=a:1 and BIGTRACE_ORCHESTRATOR_ADDRESS=b:2 name different orchestrators: unset one of them',
  );
});
