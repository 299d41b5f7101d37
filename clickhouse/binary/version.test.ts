import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { viewsFormat } from '../../tools/build/views-format.mjs';
import { VERSION_MIN as VERSION_MIN_OF_VIEWS } from '../install/requirements.ts';
import { EXECUTED, rowsOf, startTestEngine } from '../testing/engine.ts';
import { generatedSql } from '../views/query-views.mjs';
import { isBefore, VERSION_MIN } from './version.ts';

const ROOM = join(import.meta.dirname, '..');

test.each([
  ['26.4', false],
  ['26.4.1.12', false],
  ['26.10', false],
  ['27.1', false],
  ['26.3.99.1', true],
  ['18.16.1', true],
])('%s is before 26.4: %s', (version, expected) => {
  expect(isBefore(version, '26.4')).toBe(expected);
});

test.runIf(EXECUTED)(
  'the oldest versions are the first ones that know all settings of the users and views',
  async () => {
    const textsOf = (...folders: string[]): string[] =>
      folders.flatMap((folder) =>
        readdirSync(join(ROOM, folder)).map((name) =>
          readFileSync(join(ROOM, folder, name), 'utf8'),
        ),
      );
    const views = (isResident: boolean): string[] =>
      generatedSql(viewsFormat()).flatMap(([path, sql]) =>
        path.startsWith('sql-resident') === isResident ? [sql] : [],
      );
    await using t = await startTestEngine();
    // When a setting is in it more than once, it was added in the earliest version.
    const added = await rowsOf(
      t.as('admin'),
      `SELECT change.1, argMin(version, (major, minor)), min((toUInt32(splitByChar('.', version)[1]) AS major,
        toUInt32(splitByChar('.', version)[2]) AS minor))
       FROM (SELECT version, arrayJoin(changes) AS change FROM system.settings_changes WHERE type = 'Session')
       GROUP BY 1`,
    );
    const newestIn = (texts: string[]): string => {
      const words = new Set(texts.join('\n').match(/\b[a-z][a-z0-9_]+\b/g));
      const needed = added.filter(([name]) => words.has(String(name)));
      expect(needed.length).toBeGreaterThan(10);
      return needed
        .map(([, version]) => String(version))
        .reduce((a, b) => (isBefore(a, b) ? b : a));
    };
    const ours = textsOf('users.d', 'sql', 'sql-upgrades');
    const itsOwn = textsOf('config.d', 'embedded');
    expect(newestIn([...ours, ...itsOwn, ...views(false)])).toBe(VERSION_MIN);
    expect(newestIn([...ours, ...views(true)])).toBe(VERSION_MIN_OF_VIEWS);
  },
);
