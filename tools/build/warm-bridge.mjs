/** Writes V8's code cache of the bridge (bridge/load.ts), by running a query whose answer is known. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http2';

/** A message of Orchestrator.Query: one row with the number 1 of the trace /local/a. */
const ANSWER = Buffer.from(
  '0000000039' +
    '0a370a350a082f6c6f63616c2f6112270a016e1a0f0a01021201012a0030013a03ffffff320853454c454354203139000000000000f83f1801',
  'hex',
);

/** Those of bigtrace.sh: V8 refuses a cache that was written with others. */
const FLAGS = ['--no-rehash-snapshot'];

const lengthAndBytes = (text) => Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);

/** The columns of a request: name and value, in ClickHouse's Native format. */
const REQUEST = [
  ['traces', ['/local/a']],
  ['sql', 'SELECT n'],
  ['query_id', 'q'],
  ['user', 'u'],
  ['on_failure', 'strict'],
  ['structure', '_hb UInt8, _trace_address String, n Nullable(Int64)'],
  ['statement', ''],
];

function nativeColumn([name, value]) {
  if (typeof value === 'string') return [name, 'String', value].map(lengthAndBytes);
  const ends = Buffer.alloc(8);
  ends.writeUInt32LE(value.length);
  return [...[name, 'Array(String)'].map(lengthAndBytes), ends, ...value.map(lengthAndBytes)];
}

/** The environment without what is meant for another orchestrator. */
function unrelated() {
  const all = Object.entries(process.env);
  return Object.fromEntries(all.filter(([name]) => !name.startsWith('BIGTRACE_')));
}

/** @param program path of bridge.cjs */
export async function warmBridge(program) {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/grpc');
    response.addTrailers({ 'grpc-status': '0' });
    response.end(ANSWER);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bridge = spawn(
    process.execPath,
    [...FLAGS, program, '--write-code-cache', 'query', '--format', 'Native', '--view', 'bigtrace'],
    {
      env: { ...unrelated(), BIGTRACE_ORCHESTRATOR: `127.0.0.1:${server.address().port}` },
      stdio: ['pipe', 'ignore', 'pipe'],
    },
  );
  let errors = '';
  bridge.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  bridge.stdin.end(Buffer.concat([Buffer.of(REQUEST.length, 1), ...REQUEST.flatMap(nativeColumn)]));
  const [code] = await once(bridge, 'close');
  server.close();
  if (code !== 0) throw new Error(`the bridge cannot run: ${errors}`);
}
