/** The module's own stack, which lies in its memory above other data. */
import { expect, test } from 'vitest';
import { TraceProcessor } from '../index.ts';
import { V8_RUNTIME } from '../native/runtime-choice.ts';
import { PAGE_BYTES } from '../snapshot/snapshot.ts';
import { queryRows, testEngine } from '../testing.ts';

/** Where the stack of v55.3 ends: emscripten_stack_get_end(). */
const STACK_END = 4_917_008;

test('a request that used the last bytes of the stack is a crash, because it may have written below it', async () => {
  const engine = await testEngine(V8_RUNTIME);
  const processor = new TraceProcessor(engine);
  const page = Math.ceil(STACK_END / PAGE_BYTES);
  processor.restore({
    engine: engine.identity,
    memoryBytes: engine.initial.memoryBytes,
    runs: Uint32Array.of(page, 1),
    contents: new Uint8Array(PAGE_BYTES).fill(1),
  });
  const exhausted = expect.objectContaining({
    code: 'engine_crashed',
    message: expect.stringContaining('Maximum call stack size exceeded'),
  });
  expect(() => processor.finalize()).toThrow(exhausted);
  expect(processor.poisoned).toEqual(exhausted);
  processor.reset();
  processor.finalize();
  expect(queryRows(processor, 'SELECT 1')).toEqual([[1n]]);
});
