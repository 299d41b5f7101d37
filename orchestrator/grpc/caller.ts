/** Whose call it is: the name that turns and bounds are counted under. */
import { isIP } from 'node:net';

/** The part of a gRPC call that says who is at its other end. */
export interface PeerCall {
  getPeer(): string;
  getAuthContext(): { sslPeerCertificate?: { subject?: { CN?: string | string[] } } };
}

/** Names that are given to peers by us; a claimed name that begins like one is told apart. */
const OURS = /^(user|certificate|address):/;

/**
 * The user that the client names (the bridge names ClickHouse's), else the common name of the client's
 * certificate, else its address. Whoever may call can claim any user, but never the share of a client that is
 * known by its certificate or address.
 */
export function callerName(claimed: string, call: PeerCall): string {
  if (claimed !== '') return OURS.test(claimed) ? `user:${claimed}` : claimed;
  const name = call.getAuthContext().sslPeerCertificate?.subject?.CN;
  const common = Array.isArray(name) ? name[0] : name;
  if (common !== undefined && common !== '') return `certificate:${common}`;
  return `address:${hostOfPeer(call.getPeer())}`;
}

/** `127.0.0.1:5051`, `[::1]:5051`, `::1:5051` without the port, which is another for every connection. */
function hostOfPeer(peer: string): string {
  const host = peer.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? peer : host;
}
