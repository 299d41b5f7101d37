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
  /** Whether it uses the native protocol, in which bytes that ClickHouse has not read are a request to cancel. */
  isNative: boolean;
}

/** TCP_ESTABLISHED of the kernel's tcp_states.h. */
const ESTABLISHED = '01';

/** @param clickHousePid a process in ClickHouse's network namespace, whose connections are read */
export async function hasLeft(client: Client, clickHousePid: string): Promise<boolean> {
  const tables = ['tcp', 'tcp6'].map((name) =>
    readFile(`/proc/${clickHousePid}/net/${name}`, 'latin1').catch(() => ''),
  );
  return hasLeftBy((await Promise.all(tables)).join('\n'), client);
}

/** @param table text of /proc/net/tcp and tcp6; a client without a connection in it counts as connected */
export function hasLeftBy(table: string, { address, port, isNative }: Client): boolean {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  // sl: local address:port, remote address:port, state, bytes not sent:bytes not read, …
  const row = new RegExp(
    `^ *\\d+: [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]+):${hexPort} ([0-9A-F]{2}) [0-9A-F]+:([0-9A-F]+) `,
    'gm',
  );
  const localAddress = hexOf(address);
  // One port may have connections to several servers. The client is connected if any of them is open.
  const connections = [...table.matchAll(row)].filter(
    ([, remote = '']) => canonical(remote) === localAddress,
  );
  return (
    connections.length > 0 &&
    connections.every(
      ([, , state, unread = '']) =>
        state !== ESTABLISHED || (isNative && Number.parseInt(unread, 16) > 0),
    )
  );
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
