/** The engine's main program in this process, with this process's arguments; it does not return control. */
import { closeSync, constants, openSync } from 'node:fs';
import { DataType, load, open } from 'ffi-rs';

const library = '/opt/stand-in/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so';
const argv = process.argv.slice(2);
open({ library: 'libc', path: 'libc.so.6' });
useSilentTerminal();
open({ library: 'engine', path: library });
void load({
  library: 'engine',
  funcName: 'query_stable_v2',
  retType: DataType.I64,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [argv.length, argv],
});

/**
 * The standard input becomes a terminal that nobody types at. Without one the engine would take an error in any
 * connection, such as a wrong password, for its end.
 */
function useSilentTerminal() {
  const { O_RDWR, O_NOCTTY } = constants;
  const main = callLibc('posix_openpt', O_RDWR | O_NOCTTY);
  const name = Buffer.alloc(64);
  const failed = [
    callLibc('grantpt', main),
    callLibc('unlockpt', main),
    callLibc('ptsname_r', main, name, name.length),
  ].some((result) => result !== 0);
  if (failed) throw new Error('cannot create a pseudo-terminal; mount /dev/pts');
  const terminal = openSync(name.toString('latin1', 0, name.indexOf(0)), O_RDWR | O_NOCTTY);
  void callLibc('dup2', terminal, 0);
  closeSync(terminal);
}

function callLibc(funcName, ...values) {
  return load({
    library: 'libc',
    funcName,
    retType: DataType.I32,
    paramsType: values.map((value) =>
      typeof value === 'number' ? DataType.I64 : DataType.U8Array,
    ),
    paramsValue: values,
  });
}
