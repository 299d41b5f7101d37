import { expect, test } from 'vitest';
import { COMPARED_VERSION, dividedPrelude } from './early-views.ts';

const BEFORE = {
  name: 'prelude.before_eof.tables',
  sql: '-- Before.\nCREATE TABLE bounds AS\nSELECT 1;\n',
};

const AFTER = {
  name: 'prelude.after_eof.views',
  sql: `INCLUDE PERFETTO MODULE prelude.after_eof.casts;
-- A view of slices.
CREATE PERFETTO VIEW slice (
  id LONG
) AS SELECT id FROM __intrinsic_slice;
CREATE PERFETTO TABLE track AS SELECT * FROM __intrinsic_track;
CREATE PERFETTO VIEW tracks AS SELECT * FROM track;
CREATE PERFETTO VIEW all_tracks AS SELECT * FROM tracks;
CREATE PERFETTO MACRO cast_int(a Expr) RETURNS Expr AS CAST($a AS INT);
CREATE PERFETTO INDEX i ON __intrinsic_slice(id);
CREATE PERFETTO VIEW slices AS SELECT * FROM slice;
`,
};

function texts(part: 'early' | 'late'): string[] {
  const { modules } = dividedPrelude([BEFORE, AFTER])[part];
  return modules.map(({ name, sql }) => `${name}: ${Buffer.from(sql)}`);
}

test('early statements depend on no trace, and keep their lines', () => {
  expect(texts('early')).toEqual([
    'prelude.before_eof.tables: \n\n\n',
    `prelude.after_eof.views: INCLUDE PERFETTO MODULE prelude.after_eof.casts;
-- A view of slices.
CREATE PERFETTO VIEW slice (
  id LONG
) AS SELECT id FROM __intrinsic_slice;



CREATE PERFETTO MACRO cast_int(a Expr) RETURNS Expr AS CAST($a AS INT);

CREATE PERFETTO VIEW slices AS SELECT * FROM slice;
`,
  ]);
});

test('late statements are the others, on the lines that they had', () => {
  expect(texts('late')).toEqual([
    'prelude.before_eof.tables: \n\n\n',
    `prelude.after_eof.views: INCLUDE PERFETTO MODULE prelude.after_eof.casts;




CREATE PERFETTO TABLE track AS SELECT * FROM __intrinsic_track;
CREATE PERFETTO VIEW tracks AS SELECT * FROM track;
CREATE PERFETTO VIEW all_tracks AS SELECT * FROM tracks;

CREATE PERFETTO INDEX i ON __intrinsic_slice(id);

`,
  ]);
});

test('only the build that was compared has early views', () => {
  expect('Perfetto v55.3-df2b6e4be (df2b6e4be1b2f6f799e72e0210d5981af6506436)').toMatch(
    COMPARED_VERSION,
  );
  for (const other of [
    'v55.3-0123456789 (0123456789)',
    'v55.3',
    'v55.30-df2b6e4be',
    'v56.0-df2b6e4be',
  ])
    expect(`Perfetto ${other}`).not.toMatch(COMPARED_VERSION);
});
