/** ClickHouse's own client. Debian has 18.16: its flags have underscores, and it has no parameters. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const ASK = JSON.parse(process.env.QUESTIONS);

const FLAGS = [
  ...['--host', '127.0.0.1', '--port', process.env.TCP_PORT, '--database', 'bigtrace'],
  ...['--user', 'analyst', '--password', process.env.PASSWORD, '--receive_timeout', '300'],
];
const flagsOf = (query, ...more) => [...FLAGS, '--query', query, ...more];

/** Fields of the rows, as TSV writes them. */
async function rows(query) {
  const { stdout } = await promisify(execFile)('clickhouse-client', flagsOf(query));
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'));
}

async function first(query) {
  return (await rows(query))[0][0];
}

/** Without parameters, the caller quotes. */
function bound({ sql, parameters }) {
  const quoted = (text) => `'${text.replace(/[\\']/g, '\\$&')}'`;
  return sql.replace(/\{(\w+):String\}/g, (_, name) => quoted(parameters[name]));
}

async function streamed() {
  const client = spawn('clickhouse-client', flagsOf(ASK.stream), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let [count, sum] = [0, 0n];
  for await (const line of createInterface({ input: client.stdout })) {
    count++;
    sum += BigInt(line);
  }
  return [String(count), String(sum)];
}

async function cancelled() {
  const client = spawn('clickhouse-client', flagsOf(ASK.endless), {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  client.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const ended = once(client, 'close');
  while ((await first(ASK.running)) === '0') await new Promise((again) => setTimeout(again, 100));
  client.kill('SIGINT');
  const [code] = await ended;
  while ((await first(ASK.running)) !== '0') await new Promise((again) => setTimeout(again, 100));
  return `the client was interrupted (exit code ${code}) ${said}`;
}

const answers = {
  describe: (await rows(ASK.describe)).map(([name, type]) => [name, type]),
  aggregate: await first(ASK.aggregate),
  join: await first(ASK.join),
  error: await rows(ASK.error).catch((error) => error.stderr),
  bind: await first(bound(ASK.bind)),
  values: (await rows(ASK.values_hex))[0].map((field) => (field === '\\N' ? null : field)),
  stream: await streamed(),
  cancel: await cancelled(),
};
console.log(JSON.stringify(answers));
