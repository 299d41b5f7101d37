/** Determines the user of a call, under whose name limits and fair sharing are counted. */
import { isIP } from 'node:net';
import { checkNameLength } from '../../lib/common/text/text-bounds.ts';

/** The part of a gRPC call that identifies the peer. */
export interface PeerCall {
  getPeer(): string;
  getAuthContext(): { sslPeerCertificate?: { subject?: { CN?: string | string[] } } };
}

/** Prefixes of names that the orchestrator generates; a claimed name that begins with one gets the prefix `user:`. */
const OURS = /^(user|certificate|address):/;

/**
 * Returns the user that the client names (the bridge names the ClickHouse user), else the common name of the client's
 * certificate, else its address. An authorized client can claim any user, but not the name that another client has by
 * its certificate or address.
 * @throws limit_exceeded when the claimed name is too long
 */
export function callerName(claimed: string, call: PeerCall): string {
  checkNameLength('the name of the user', claimed);
  if (claimed !== '') return OURS.test(claimed) ? `user:${claimed}` : claimed;
  const name = call.getAuthContext().sslPeerCertificate?.subject?.CN;
  const common = Array.isArray(name) ? name[0] : name;
  if (common !== undefined && common !== '') return `certificate:${common}`;
  return `address:${hostOfPeer(call.getPeer())}`;
}

/** Removes the port, which differs for every connection, from `127.0.0.1:5051`, `[::1]:5051` or `::1:5051`. */
function hostOfPeer(peer: string): string {
  const host = peer.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? peer : host;
}
