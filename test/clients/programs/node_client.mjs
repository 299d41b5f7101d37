import { createClient } from '@clickhouse/client';

const ASK = JSON.parse(process.env.QUESTIONS);
const client = createClient({
  url: `http://127.0.0.1:${process.env.HTTP_PORT}`,
  username: 'analyst',
  password: process.env.PASSWORD,
  database: 'bigtrace',
  request_timeout: 120_000,
  // JSON has 64-bit integers as text, so that no digit is lost.
  clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
});

async function rows(query, options = {}) {
  const result = await client.query({ query, format: 'JSONCompactEachRow', ...options });
  return await result.json();
}

async function first(query, options) {
  return String((await rows(query, options))[0][0]);
}

async function streamed() {
  const result = await client.query({ query: ASK.stream, format: 'JSONCompactEachRow' });
  let [count, sum] = [0, 0n];
  for await (const batch of result.stream())
    for (const row of batch) {
      count++;
      sum += BigInt(row.json()[0]);
    }
  return [String(count), String(sum)];
}

async function cancelled() {
  const left = new AbortController();
  const running = rows(ASK.endless, { abort_signal: left.signal }).then(
    () => 'no error',
    (error) => error.message,
  );
  while ((await first(ASK.running)) === '0') await new Promise((again) => setTimeout(again, 100));
  left.abort();
  const said = await running;
  while ((await first(ASK.running)) !== '0') await new Promise((again) => setTimeout(again, 100));
  return said;
}

const answers = {
  describe: (await rows(ASK.describe)).map(([name, type]) => [name, type]),
  aggregate: await first(ASK.aggregate),
  join: await first(ASK.join),
  error: await rows(ASK.error).catch((error) => error.message),
  bind: await first(ASK.bind.sql, { query_params: ASK.bind.parameters }),
  values: (await rows(ASK.values_hex))[0],
  stream: await streamed(),
  cancel: await cancelled(),
};
await client.close();
console.log(JSON.stringify(answers));
