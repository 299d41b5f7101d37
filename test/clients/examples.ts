/** The examples of docs/clients, with the addresses and the password of the system under test. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../lib/common/root.ts';

/** Where the examples connect to. The pages have the ports and the data directory of `npm start`. */
export interface Server {
  httpPort: string;
  tcpPort: string;
  dataDir: string;
}

/** Returns the text of docs/clients/`page`. */
export function pageOf(page: string): string {
  return readFileSync(join(ROOT, 'docs/clients', page), 'utf8');
}

/** Returns the `nth` block of code in a language on a page of docs/clients, for the server. */
export function exampleOf(page: string, language: string, nth: number, server: Server): string {
  const blocks = [...pageOf(page).matchAll(/^```(\S+)\n(.*?)^```$/gms)];
  const block = blocks.filter(([, name]) => name === language)[nth];
  if (block === undefined) throw new Error(`${page} has no block ${nth} in ${language}`);
  return (block[2] ?? '')
    .replaceAll('8123', server.httpPort)
    .replaceAll('9000', server.tcpPort)
    .replaceAll('data/analyst.password', join(server.dataDir, 'analyst.password'));
}
