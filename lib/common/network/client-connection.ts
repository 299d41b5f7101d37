/**
 * Checks in the kernel's table of connections whether the client of a query is still connected to ClickHouse.
 * ClickHouse does not check during column finding.
 */
import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';

export interface Client {
  /** As in system.processes: `::ffff:127.0.0.1`, `127.0.0.1`, `2001:db8::1`. */
  address: string;
  port: number;
  /** The port of ClickHouse that it is expected to be connected to; it may be connected to another one. */
  serverPort: number;
  /** Whether a proxy named the address, so that the client's own connection may not be in the table. */
  isForwarded: boolean;
  /** Whether it uses the native protocol, in which bytes that ClickHouse has not read are a request to cancel. */
  isNative: boolean;
}

/** TCP_ESTABLISHED and TCP_LISTEN of the kernel's tcp_states.h. */
const ESTABLISHED = '01';
const LISTEN = '0A';

/** @param clickHousePid a process in ClickHouse's network namespace, whose connections are read */
export async function hasLeft(client: Client, clickHousePid: string): Promise<boolean> {
  const tables = ['tcp', 'tcp6'].map((name) =>
    readFile(`/proc/${clickHousePid}/net/${name}`, 'latin1').catch(() => ''),
  );
  return hasLeftBy((await Promise.all(tables)).join('\n'), client);
}

/**
 * @param table text of /proc/net/tcp and tcp6. A client that reset its connection is not in it; so a client without a
 *   connection has left, if the table has the port that ClickHouse listens on.
 */
export function hasLeftBy(table: string, client: Client): boolean {
  // sl: local address:port, remote address:port, state, bytes not sent:bytes not read, …
  const row = new RegExp(
    `^ *\\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]+):${hexOfPort(client.port)} ([0-9A-F]{2}) [0-9A-F]+:([0-9A-F]+) `,
    'gm',
  );
  const address = hexOf(client.address);
  const serverPort = hexOfPort(client.serverPort);
  const all = [...table.matchAll(row)].filter(([, , remote = '']) => canonical(remote) === address);
  if (all.length === 0) return !client.isForwarded && listensOn(serverPort, table);
  // The kernel gives one port to several connections, if they lead to different servers.
  const toClickHouse = all.filter(([, local]) => local === serverPort);
  return (toClickHouse.length > 0 ? toClickHouse : all).every(
    ([, , , state, unread = '']) =>
      state !== ESTABLISHED || (client.isNative && Number.parseInt(unread, 16) > 0),
  );
}

function listensOn(port: string, table: string): boolean {
  return new RegExp(`^ *\\d+: [0-9A-F]+:${port} [0-9A-F]+:0000 ${LISTEN} `, 'm').test(table);
}

function hexOfPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

const MAPPED = `${'0'.repeat(20)}ffff`;

/** Returns 32 hex digits in network byte order. The kernel writes words in the byte order of the machine. */
function canonical(words: string): string {
  const bytes = words.toLowerCase().match(/.{8}/g) ?? [];
  const ordered = bytes.map((word) => (word.match(/../g) ?? []).reverse().join('')).join('');
  return ordered.length === 8 ? `${MAPPED}${ordered}` : ordered;
}

function hexOf(address: string): string {
  const mapped = address.replace(/^::ffff:/i, '');
  if (isIPv4(mapped))
    return `${MAPPED}${mapped
      .split('.')
      .map((part) => Number(part).toString(16).padStart(2, '0'))
      .join('')}`;
  const [head = '', tail] = address.toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - right.length) }, () => '0');
  return [...before, ...zeros, ...right].map((word) => word.padStart(4, '0')).join('');
}
