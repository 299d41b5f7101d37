/**
 * The DNS server of the test's cluster: addresses of Services (one, or those of the ready pods of a headless one), as
 * CoreDNS serves them. Another name under cluster.local does not exist, and it forwards no queries.
 *   node dns.mjs ADDRESS API_SERVER KEYS_DIRECTORY
 */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { createServer } from 'node:net';

const [address, server, keys] = process.argv.slice(2);
const POLL_MS = 500;
const TTL_SECONDS = 5;
const NO_SUCH_NAME = 3;
const TYPE_A = 1;
const tls = {
  ca: readFileSync(`${keys}/ca.crt`),
  cert: readFileSync(`${keys}/admin.crt`),
  key: readFileSync(`${keys}/admin.key`),
};

/** Addresses by name; none is known before the first poll. */
let names = new Map();

function list(path) {
  return new Promise((resolve, reject) => {
    const request = get(`${server}${path}`, { ...tls, timeout: 5000 }, async (response) => {
      const pieces = [];
      for await (const piece of response) pieces.push(piece);
      const text = Buffer.concat(pieces).toString();
      if (response.statusCode === 200) resolve(JSON.parse(text).items);
      else reject(new Error(text));
    });
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.on('error', reject);
  });
}

async function poll() {
  const found = new Map();
  for (const { metadata, spec } of await list('/api/v1/services')) {
    const name = `${metadata.name}.${metadata.namespace}.svc.cluster.local`;
    found.set(name, spec.clusterIP === 'None' ? [] : [spec.clusterIP]);
  }
  for (const { metadata, endpoints } of await list('/apis/discovery.k8s.io/v1/endpointslices')) {
    const service = metadata.labels?.['kubernetes.io/service-name'];
    const name = `${service}.${metadata.namespace}.svc.cluster.local`;
    if (metadata.labels?.['service.kubernetes.io/headless'] === undefined) continue;
    for (const { addresses, conditions } of endpoints ?? [])
      if (conditions?.ready !== false) found.get(name)?.push(...addresses);
  }
  names = found;
}

function response(query) {
  const labels = [];
  let at = 12;
  while (query[at] !== 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
    at += query[at] + 1;
  }
  const type = query.readUInt16BE(at + 1);
  const known = names.get(labels.join('.').toLowerCase());
  const answers = type === TYPE_A ? (known ?? []) : [];
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8580 | (known === undefined ? NO_SUCH_NAME : 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(answers.length, 6);
  const records = answers.map((ip) => {
    const record = Buffer.from([0xc0, 12, 0, TYPE_A, 0, 1, 0, 0, 0, TTL_SECONDS, 0, 4]);
    return Buffer.concat([record, Buffer.from(ip.split('.').map(Number))]);
  });
  return Buffer.concat([head, query.subarray(12, at + 5), ...records]);
}

const udp = createSocket('udp4');
udp.on('message', (query, { port, address: client }) => udp.send(response(query), port, client));
udp.bind(53, address);
createServer((connection) => {
  let received = Buffer.alloc(0);
  connection.on('error', () => connection.destroy());
  connection.on('data', (piece) => {
    received = Buffer.concat([received, piece]);
    if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
    const answer = response(received.subarray(2));
    const length = Buffer.alloc(2);
    length.writeUInt16BE(answer.length);
    connection.end(Buffer.concat([length, answer]));
  });
}).listen(53, address);

for (;;) {
  await poll().catch((error) => console.error(`cannot read the Services: ${error.message}`));
  await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
