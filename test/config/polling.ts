/** Settings of `expect` for all tests: a second, the default of `expect.poll`, is too short on a busy machine. */
export const POLLING = { poll: { timeout: 30_000 } };
