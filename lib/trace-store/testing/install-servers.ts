/** Vitest's global setup for the tests with real servers. */
export { installServers as setup } from './real-servers.ts';
