/** For tests: a client of the native protocol that sends a query as a server does that forwards it for another user. */
import { connect } from 'node:net';
import { hostOf, portOf } from '../../lib/common/network/host-port.ts';

/** The oldest revision with the user of the first server; later ones have more fields. */
const REVISION = 54_032;
const HELLO = 0;
const QUERY = 1;
const DATA = 2;
const SECONDARY = 2;
const OVER_TCP = 1;
const COMPLETE = 2;
const ANSWER_MS_MAX = 60_000;

export interface ForwardedQuery {
  /** host:port */
  tcpAddress: string;
  user: string;
  password: string;
  /** The user who has sent the query, as this client says. */
  initialUser: string;
  query: string;
}

/** @returns the part of the response that matches @throws what the server responds instead */
export function answerToForwarded(sent: ForwardedQuery, answer: RegExp): Promise<string> {
  const { tcpAddress, user, password } = sent;
  return new Promise((resolve, reject) => {
    const socket = connect(portOf(tcpAddress), hostOf(tcpAddress));
    let response = '';
    const fail = (): void => reject(new Error(`no ${answer} in ${JSON.stringify(response)}`));
    const timer = setTimeout(() => socket.destroy(), ANSWER_MS_MAX);
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      fail();
    });
    socket.on('data', (bytes: Buffer) => {
      if (response === '') socket.write(packetOf(sent));
      response += bytes.toString('latin1');
      const [found] = answer.exec(response) ?? [];
      if (found !== undefined) resolve(found);
      if (found !== undefined || response.includes('DB::Exception')) socket.destroy();
    });
    const client = [text('test'), number(1), number(1), number(REVISION)];
    socket.write(
      Buffer.concat([number(HELLO), ...client, text('bigtrace'), text(user), text(password)]),
    );
  });
}

/** The query, and the empty block that follows it. */
function packetOf({ initialUser, query }: ForwardedQuery): Buffer {
  const queryId = text(crypto.randomUUID());
  const initial = [text(initialUser), queryId, text('127.0.0.1:0')];
  const client = [text(''), text(''), text('test'), number(1), number(1), number(REVISION)];
  const block = [text(''), number(1), Buffer.of(0), number(2), Buffer.alloc(4, 0xff), number(0)];
  return Buffer.concat([
    ...[number(QUERY), queryId],
    ...[Buffer.of(SECONDARY), ...initial, Buffer.of(OVER_TCP), ...client],
    ...[text(''), number(COMPLETE), number(0), text(query)],
    ...[number(DATA), ...block, number(0), number(0)],
  ]);
}

function text(value: string): Buffer {
  return Buffer.concat([number(Buffer.byteLength(value)), Buffer.from(value)]);
}

/** LEB128, without sign. */
function number(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
