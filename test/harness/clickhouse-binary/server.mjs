/**
 * `clickhouse server --config-file=… -- --path=… …` with the embedded engine. The engine opens its listeners in a session of
 * the user `default`, so it gets a copy of the configuration with this user, who has no password and may do nothing else.
 */
import { cpSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataType, load, open } from 'ffi-rs';

const USER = `<clickhouse><users><default>
  <password></password>
  <networks><ip>127.0.0.1</ip></networks>
  <profile>default</profile>
  <quota>default</quota>
  <grants>
    <query>GRANT CREATE DATABASE ON bigtrace.*</query>
    <query>GRANT SYSTEM LISTEN ON *.*</query>
    <query>GRANT SELECT ON system.numbers</query>
  </grants>
</default></users></clickhouse>
`;

// The last query never ends, and so the engine does not either.
const START = `CREATE DATABASE IF NOT EXISTS bigtrace;
SYSTEM START LISTEN HTTP;
SYSTEM START LISTEN TCP;
SELECT sleepEachRow(3) FROM system.numbers
SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null;
`;

const here = dirname(fileURLToPath(import.meta.url));
const [program, config, separator, ...places] = process.argv.slice(2);
if (program !== 'server' || config !== '--config-file=config.xml' || separator !== '--')
  throw new Error(`unexpected arguments: ${process.argv.slice(2).join(' ')}`);
const etc = join(here, 'etc');
rmSync(etc, { recursive: true, force: true });
cpSync(process.cwd(), etc, { recursive: true });
writeFileSync(join(etc, 'users.d/default.xml'), USER);
writeFileSync(join(etc, 'start.sql'), START);
process.env.BIGTRACE_CLICKHOUSE_DATA = `${resolve(process.env.BIGTRACE_CLICKHOUSE_DATA)}/`;
const absolute = places.map((place) =>
  place.startsWith('--path=') ? `--path=${resolve(place.slice('--path='.length))}` : place,
);
process.chdir(etc);
open({
  library: 'engine',
  path: realpathSync(join(here, 'node_modules/@chdb/lib-linux-x64-gnu/libchdb.so')),
});
const argv = ['clickhouse', config, ...absolute, '--queries-file', 'start.sql'];
void load({
  library: 'engine',
  funcName: 'query_stable_v2',
  retType: DataType.I64,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [argv.length, argv],
});
