/** Vitest's global setup of the tests over real servers. */
export { installServers as setup } from './real-servers.ts';
