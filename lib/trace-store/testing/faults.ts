/** Tests, through a faulty proxy, of how every network store must handle failures. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../common/errors.ts';
import { guarded } from '../guards/guarded.ts';
import { noCounts, type StoreCounters } from '../guards/with-counters.ts';
import type { TraceStat, TraceStore } from '../trace-store.ts';
import { codeOf } from './contract.ts';
import { type Fault, type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts';

export interface StoreBehindProxy {
  /** `host:port` of the real server. */
  upstream: string;
  /** Returns the store that contacts `host` instead of the real server. */
  through(host: string): TraceStore;
  /** Returns the path of a trace in the store of that host. */
  pathOf(name: string, host: string): string;
  put(name: string, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface FaultOptions {
  open(): Promise<StoreBehindProxy>;
  lists?: boolean;
  refusals?: readonly Refusal[];
}

/** An error response of the server and the error that it must result in. */
export interface Refusal {
  status: number;
  body: string;
  code: ErrorCode;
  message: string;
}

const BYTES = randomBytes(3 << 20);
/** For tests in which no attempt times out, however busy the machine is. */
const PATIENT = { timeoutMs: 30_000, attemptsMax: 3 };
/** For tests of timeouts; a busy machine may need some more attempts. */
const IMPATIENT = { timeoutMs: 400, attemptsMax: 10 };

const BROKEN: [string, Fault][] = [
  ['a 503', { kind: 'status', status: 503 }],
  ['a reset before the first byte', { kind: 'reset', afterBytes: 0 }],
  ['a reset in mid-body', { kind: 'reset', afterBytes: 1 << 20 }],
  ['a wrong length', { kind: 'cut', missingBytes: 1000 }],
];
const SILENT: [string, Fault][] = [
  ['silence in mid-body', { kind: 'stall', afterBytes: 1 << 20 }],
  ['silence from the start', { kind: 'stall', afterBytes: 0 }],
  ['a slow drip', { kind: 'drip', everyMs: 20 }],
];

/** One store behind one proxy; usable after `open`. */
class Bench {
  readonly counters: StoreCounters = noCounts();
  readonly #options: FaultOptions;
  #parts: { under: StoreBehindProxy; proxy: FaultyProxy; bare: TraceStore } | undefined;
  #store: TraceStore | undefined;

  constructor(options: FaultOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const under = await this.#options.open();
    const proxy = await startFaultyProxy(under.upstream);
    this.#parts = { under, proxy, bare: under.through(proxy.host) };
    await under.put('faults/trace', BYTES);
  }

  reset(): void {
    this.use(PATIENT);
    Object.assign(this.proxy, { faults: [], always: undefined, asked: [], before: undefined });
    Object.assign(this.counters, noCounts());
  }

  use(limits: { timeoutMs: number; attemptsMax: number }): void {
    this.#store = guarded(this.#all().bare, { ...limits, concurrencyMax: 2 }, this.counters);
  }

  async close(): Promise<void> {
    this.store.close?.();
    await this.proxy.close();
    await this.under.close();
  }

  get under(): StoreBehindProxy {
    return this.#all().under;
  }

  get store(): TraceStore {
    return this.#store ?? this.#all().bare;
  }

  get proxy(): FaultyProxy {
    return this.#all().proxy;
  }

  path(name = 'faults/trace'): string {
    return this.under.pathOf(name, this.proxy.host);
  }

  stat(name?: string): Promise<TraceStat> {
    return this.store.stat(this.path(name));
  }

  /** Reads a trace. `received` receives the chunks, also if the read fails. */
  async read(
    generation: string,
    {
      name,
      signal,
      received = [],
    }: { name?: string; signal?: AbortSignal; received?: Uint8Array[] } = {},
  ): Promise<Buffer> {
    for await (const chunk of this.store.read(this.path(name), { generation, signal }))
      received.push(chunk);
    return Buffer.concat(received);
  }

  #all() {
    if (this.#parts === undefined) throw new Error('it is not open');
    return this.#parts;
  }
}

export function storeFaults(name: string, options: FaultOptions): void {
  describe(`faults: ${name}`, () => {
    const bench = new Bench(options);
    beforeAll(() => bench.open());
    beforeEach(() => bench.reset());
    afterAll(() => bench.close());

    readTests(bench);
    statTests(bench);
    refusalTests(bench, options.refusals ?? []);
    if (options.lists ?? true) listTests(bench);
  });
}

function readTests(bench: Bench): void {
  test.each(BROKEN)('a read recovers from %s', async (_, fault) => {
    const { generation } = await bench.stat();
    bench.proxy.faults = [fault];
    expect((await bench.read(generation)).equals(BYTES)).toBe(true);
    expect(bench.counters.retries).toBe(1);
  });

  test.each(SILENT)('a read recovers from %s', async (_, fault) => {
    const { generation } = await bench.stat();
    bench.use(IMPATIENT);
    bench.proxy.faults = [fault];
    expect((await bench.read(generation)).equals(BYTES)).toBe(true);
    expect(bench.counters.retries).toBeGreaterThan(0);
  });

  test.each([...BROKEN, ...SILENT])(
    'a read fails with store_failed after repeated faults: %s',
    async (_, fault) => {
      const { generation } = await bench.stat();
      if (fault.kind === 'stall' || fault.kind === 'drip')
        bench.use({ ...IMPATIENT, attemptsMax: 3 });
      // Each attempt transfers little, because one that transfers 1 MiB counts as progress and resets the failures.
      const isProgress = 'afterBytes' in fault && fault.afterBytes > 0;
      if (isProgress) bench.proxy.always = { ...fault, afterBytes: 100 };
      else bench.proxy.always = fault.kind === 'cut' ? { ...fault, missingBytes: 1 } : fault;
      expect(await codeOf(bench.read(generation))).toBe('store_failed');
      expect(bench.counters.retries).toBe(2);
    },
  );

  test('an interrupted read resumes where it stopped', async () => {
    const { generation } = await bench.stat();
    bench.proxy.faults = [{ kind: 'reset', afterBytes: 2 << 20 }];
    expect((await bench.read(generation)).equals(BYTES)).toBe(true);
    const from = Number(/^GET bytes=(\d+)-$/.exec(bench.proxy.requests.at(-1) ?? '')?.[1]);
    expect(from).toBeGreaterThan(0);
    expect(from).toBeLessThanOrEqual(2 << 20);
  });

  test('a read fails with trace_changed if the object is replaced between two attempts', async () => {
    const name = 'faults/replaced';
    await bench.under.put(name, BYTES);
    const { generation } = await bench.stat(name);
    bench.proxy.faults = [{ kind: 'reset', afterBytes: 1 << 20 }];
    let requests = 0;
    bench.proxy.before = async () => {
      if (++requests === 2) await bench.under.put(name, Buffer.alloc(BYTES.length));
    };
    const received: Uint8Array[] = [];
    expect(await codeOf(bench.read(generation, { name, received }))).toBe('trace_changed');
    const before = Buffer.concat(received);
    expect(before.equals(BYTES.subarray(0, before.length))).toBe(true);
  });

  test('a read that waits for the server is cancelled at once', async () => {
    const { generation } = await bench.stat();
    bench.proxy.always = { kind: 'stall', afterBytes: 0 };
    const started = performance.now();
    const reading = bench.read(generation, { signal: AbortSignal.timeout(50) });
    expect(await codeOf(reading)).toBe('cancelled');
    expect(performance.now() - started).toBeLessThan(PATIENT.timeoutMs / 3);
  });
}

function statTests(bench: Bench): void {
  test('stat is retried, and its final error quotes the response', async () => {
    bench.proxy.faults = [{ kind: 'status', status: 503 }];
    expect((await bench.stat()).size).toBe(BYTES.length);
    bench.proxy.always = { kind: 'status', status: 503 };
    await expect(bench.stat()).rejects.toThrow(/^the store responded with 503/);
  });

  test('stat fails after the timeout if the server does not respond', async () => {
    bench.use({ timeoutMs: 300, attemptsMax: 2 });
    bench.proxy.before = () => new Promise(() => undefined);
    await expect(bench.stat()).rejects.toThrow(
      'the store timed out: it sent too little data within 300 ms (--store-timeout)',
    );
  });

  test('stat reports a refused connection', async () => {
    const host = '127.0.0.1:1';
    const gone = bench.under.through(host);
    const stat = gone.stat(bench.under.pathOf('faults/trace', host));
    await expect(stat).rejects.toThrow(/^the connection to the store failed: .*ECONNREFUSED/);
    gone.close?.();
  });
}

function refusalTests(bench: Bench, refusals: readonly Refusal[]): void {
  test.each([
    [401, 'unauthenticated'],
    [403, 'forbidden'],
    [404, 'trace_not_found'],
  ])('a response %i is not retried', async (status, code) => {
    const { generation } = await bench.stat();
    bench.proxy.always = { kind: 'status', status };
    expect(await codeOf(bench.stat())).toBe(code);
    expect(await codeOf(bench.read(generation))).toBe(code);
    expect(bench.counters.retries).toBe(0);
  });

  test.each(refusals)(
    'a response $status with the body $body fails with $code',
    async ({ status, body, code, message }) => {
      const { generation } = await bench.stat();
      bench.proxy.always = { kind: 'status', status, body };
      await expect(bench.stat()).rejects.toMatchObject({ code, message });
      await expect(bench.read(generation)).rejects.toMatchObject({ code, message });
    },
  );
}

function listTests(bench: Bench): void {
  test('a listing that fails on its second page is resumed', async () => {
    const names = Array.from({ length: 1010 }, (_, nth) => `page/${1000 + nth}`);
    const put = (name: string): Promise<void> => bench.under.put(name, Buffer.from('x'));
    for (let from = 0; from < names.length; from += 50)
      await Promise.all(names.slice(from, from + 50).map(put));
    let requests = 0;
    bench.proxy.before = async () => {
      if (++requests === 1) bench.proxy.faults = [{ kind: 'status', status: 503 }];
    };
    const addresses: string[] = [];
    for await (const batch of bench.store.list(bench.path('page/*')))
      addresses.push(...batch.map(({ path }) => path));
    expect(addresses).toEqual(names.map((name) => bench.path(name)));
    expect(bench.counters.retries).toBe(1);
  });
}
