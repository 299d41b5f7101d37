/** The engine's main program in this process, with this process's arguments; it does not return control. */
import { DataType, load, open } from 'ffi-rs';

const library = '/opt/stand-in/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so';
const argv = process.argv.slice(2);
open({ library: 'engine', path: library });
void load({
  library: 'engine',
  funcName: 'query_stable_v2',
  retType: DataType.I64,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [argv.length, argv],
});
