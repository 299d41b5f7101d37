/** The settings of requests, and those that the page offers. */
import { expect, test } from 'vitest';
import { executionConfig, parseSettings, traceLimit, uuidFilters } from './settings.ts';
import { executeRequest } from './wire.ts';

const traces = (...values: string[]) => [{ setting_id: 'traces', values }];

test.each([
  [
    ['/local/a', ' /gcs/b/o/c '],
    ['/local/a', '/gcs/b/o/c'],
  ],
  [["/where/arch IN ('a'", "'b')"], ["/where/arch IN ('a','b')"]],
  [
    ["/where/name = 'x", " y'", '/local/a'],
    ["/where/name = 'x, y'", '/local/a'],
  ],
  [
    ['/local/a', '', '/local/b'],
    ['/local/a', '/local/b'],
  ],
  [['', ' '], []],
])('the pieces %j are the addresses %j', (pieces, addresses) => {
  expect(parseSettings(traces(...pieces)).addresses).toEqual(addresses);
});

test('without addresses, a query runs on the default traces, or on some traces of the whole catalog', () => {
  const choice = (body: object, defaultTraces: string[]) => {
    const request = { perfetto_sql: 'SELECT 1', ...body };
    const { settings, filters, limit } = executeRequest(request, true, {
      ...{ user: '', session: undefined, base: '', defaultTraces },
    }).choice;
    return [settings.addresses, filters, limit];
  };
  const limited = (values: string[]) => ({ setting_id: 'trace_limit', values });
  const uuids = { setting_id: 'trace_uuids', values: ['u'] };
  const isU = { field: 'uuid', op: 'in', value: ['u'] };
  expect(choice({}, ['/local/**'])).toEqual([['/local/**'], [], 0]);
  expect(choice({}, [])).toEqual([[], [], 1000]);
  expect(choice({ settings: [limited(['5'])] }, [])).toEqual([[], [], 5]);
  expect(choice({ settings: [limited(['0'])] }, [])).toEqual([[], [], 0]);
  expect(choice({ settings: [limited(['5'])], trace_limit: 7 }, [])).toEqual([[], [], 7]);
  const named = ({ limit, defaults }: { limit: string; defaults: string[] }) =>
    choice({ settings: [limited([limit]), ...traces('/local/a')] }, defaults);
  expect(named({ limit: '5', defaults: [] })).toEqual([['/local/a'], [], 5]);
  expect(named({ limit: '5', defaults: ['/local/**'] })).toEqual([['/local/a'], [], 5]);
  // The page always sends the limit that it shows. Traces that are named need not be in the catalog.
  expect(named({ limit: '1000', defaults: [] })).toEqual([['/local/a'], [], 0]);
  expect(named({ limit: '1000', defaults: ['/local/**'] })).toEqual([['/local/a'], [], 1000]);
  expect(named({ limit: '0', defaults: ['/local/**'] })).toEqual([['/local/a'], [], 0]);
  expect(choice({ settings: [uuids, limited(['5']), ...traces('/local/a')] }, [])).toEqual([
    ['/local/a'],
    [isU],
    5,
  ]);
});

test('the settings are those that the page knows, with the defaults of the server', () => {
  const brief = (defaultTraces: string[]) =>
    executionConfig(defaultTraces)
      .map((one) => one as Record<string, unknown>)
      .map(({ id, category, disabled, stringArray, number }) => [
        id,
        category,
        disabled,
        stringArray ?? number,
      ]);
  expect(brief(['/local/**']).slice(0, 4)).toEqual([
    ['traces', 'TRACE_ADDRESS', undefined, { defaultValues: ['/local/**'] }],
    ['where', 'TRACE_ADDRESS', true, undefined],
    ['trace_uuids', 'TRACE_ADDRESS', true, { defaultValues: [] }],
    ['trace_limit', 'TRACE_ADDRESS', undefined, { defaultValue: 0, min: 0, max: 100_000 }],
  ]);
  expect(brief([])[3]).toEqual([
    ...['trace_limit', 'TRACE_ADDRESS', undefined],
    { defaultValue: 1000, min: 0, max: 100_000 },
  ]);
});

test.each([
  ['trace_limit', '-1', 'setting trace_limit must be a whole number from 0 to 100000, not -1'],
  ['trace_limit', '1.5', 'setting trace_limit must be a whole number from 0 to 100000, not 1.5'],
])('setting %s of %s is refused', (setting_id, value, message) => {
  expect(() => traceLimit([{ setting_id, values: [value] }], 'names', [])).toThrow(message);
});

test('empty values count as not set', () => {
  const wire = ['where', 'on_failure', 'timeout_s', 'trace_uuids', 'trace_limit'].map(
    (setting_id) => ({ setting_id, values: [' '] }),
  );
  expect(parseSettings(wire)).toEqual({ addresses: [], where: '', strict: false, timeoutS: 0 });
  expect([uuidFilters(wire), traceLimit(wire, 'catalog', [])]).toEqual([[], 0]);
});
