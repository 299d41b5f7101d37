/** Tests that Superset reads the password of its connection again, with a stand-in for SQLAlchemy. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';

const PROGRAM = `
import sys
from types import SimpleNamespace
import bigtrace_connection as connection

environment = {"BIGTRACE_ANALYST_PASSWORD_FILE": sys.argv[1]}
complete = connection.mutator("https://clickhouse.example", lambda: connection.password_from(environment), 60)
uri = SimpleNamespace(drivername="clickhousedb+connect", username="analyst", host="clickhouse", set=lambda **new: new)
print(complete(uri, {})[0])
with open(sys.argv[1], "w") as file:
    file.write("second\\n")
print(complete(uri, {})[0])
`;

test('each connection of Superset uses the password that the file has then', () => {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-superset-'));
  const [file, engine] = [join(directory, 'password'), join(directory, 'sqlalchemy/engine')];
  mkdirSync(engine, { recursive: true });
  writeFileSync(join(engine, 'url.py'), 'class URL: ...\n');
  writeFileSync(file, 'first\n');
  const printed = execFileSync('python3', ['-B', '-c', PROGRAM, file], {
    env: { PYTHONPATH: `${directory}:${join(ROOT, 'superset')}` },
    encoding: 'utf8',
  });
  const urlWith = (password: string): string =>
    `{'host': 'clickhouse.example', 'port': 8443, 'password': '${password}'}\n`;
  expect(printed).toBe(urlWith('first') + urlWith('second'));
});
