/**
 * Asks a thread (file-thread.ts) for the stat and the bytes of small files. It is only a quicker way: what the thread
 * does not answer soon, or cannot answer, the caller asks the file system for itself. So a file system that is slow or
 * hangs, as one on a network may, delays a request by twice LATE_MS at most: in the queue, and in the thread.
 */
import { Worker } from 'node:worker_threads';
import type { TraceStat } from '../trace-store.ts';
import type { Roots } from './local-file.ts';
import type { BytePath } from './rooted-path.ts';

/** Requests that the thread gets at once. */
const BATCH_MAX = 16;
/** Time in milliseconds after which the thread is not waited for. */
const LATE_MS = 50;
/** Time in milliseconds for which the thread gets no requests after it has answered late. */
const REST_MS = 1000;

export type FileRequest =
  | { is: 'stat'; path: string }
  /** An entry of a directory that is open. */
  | { is: 'entry'; path: BytePath }
  | { is: 'read'; path: string; generation: string };

/** Undefined if the request failed or was dropped. */
export type Answer = TraceStat | Uint8Array[] | undefined;

/** Requests, or the answers to them in the same order. */
export interface Batch<Item> {
  number: number;
  items: Item[];
}

export interface FileThreadData {
  roots: Roots;
  /** One shared value: the number of the last batch whose answers are not waited for. */
  dropped: Int32Array;
}

interface Waiting {
  request: FileRequest;
  resolve: (answer: Answer) => void;
  /** When it was asked (performance.now()). */
  sinceMs: number;
}

/** All methods resolve to undefined if the caller has to ask the file system. */
export class QuickFiles {
  readonly #entry: URL;
  readonly #data: FileThreadData;
  #thread: Worker | undefined;
  /** The time from which on the thread gets requests: infinite until it has started, and while it is late. */
  #from = Number.POSITIVE_INFINITY;
  #waiting: Waiting[] = [];
  /** The batch that the thread works on; empty if there is none. */
  #sent: Waiting[] = [];
  #number = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(entry: URL, roots: Roots) {
    this.#entry = entry;
    this.#data = { roots, dropped: new Int32Array(new SharedArrayBuffer(4)) };
  }

  /** Returns the stat of the file that a path names. */
  stat(path: string): Promise<TraceStat | undefined> {
    return this.#ask({ is: 'stat', path }) as Promise<TraceStat | undefined>;
  }

  /** Returns the stat of an entry of a directory that is open. */
  statEntry(path: BytePath): Promise<TraceStat | undefined> {
    return this.#ask({ is: 'entry', path }) as Promise<TraceStat | undefined>;
  }

  /** Returns the bytes of a small file, if it has this generation. */
  read(path: string, generation: string): Promise<Uint8Array[] | undefined> {
    return this.#ask({ is: 'read', path, generation }) as Promise<Uint8Array[] | undefined>;
  }

  close(): void {
    this.#stop();
    void this.#thread?.terminate();
  }

  #ask(request: FileRequest): Promise<Answer> {
    this.#thread ??= this.#start();
    const sinceMs = performance.now();
    if (sinceMs < this.#from) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting.push({ request, resolve, sinceMs });
      // What is asked in the same step of the event loop goes in one message.
      if (this.#waiting.length === 1) queueMicrotask(() => this.#send());
    });
  }

  #start(): Worker {
    const thread = new Worker(this.#entry, { workerData: this.#data });
    thread.unref();
    thread.on('message', (answers: Batch<Answer>) => this.#onAnswers(answers));
    thread.on('error', () => this.#stop());
    thread.on('exit', () => this.#stop());
    return thread;
  }

  #send(): void {
    if (this.#sent.length > 0) return;
    const late = performance.now() - LATE_MS;
    const inTime = this.#waiting.findIndex(({ sinceMs }) => sinceMs >= late);
    const given = this.#waiting.splice(0, inTime < 0 ? this.#waiting.length : inTime);
    for (const { resolve } of given) resolve(undefined);
    if (this.#waiting.length === 0) return;
    this.#sent = this.#waiting.splice(0, BATCH_MAX);
    this.#number++;
    this.#timer = setTimeout(() => this.#stop(), LATE_MS);
    const items = this.#sent.map(({ request }) => request);
    this.#thread?.postMessage({ number: this.#number, items } satisfies Batch<FileRequest>);
  }

  #onAnswers({ number, items }: Batch<Answer>): void {
    if (number !== this.#number) return;
    const sent = this.#sent;
    if (sent.length === 0) this.#from = performance.now() + (number === 0 ? 0 : REST_MS);
    clearTimeout(this.#timer);
    this.#sent = [];
    for (const [at, { resolve }] of sent.entries()) resolve(items[at]);
    this.#send();
  }

  /** Sends nothing more until the thread has answered its last batch, and gives up what is waiting. */
  #stop(): void {
    this.#from = Number.POSITIVE_INFINITY;
    clearTimeout(this.#timer);
    Atomics.store(this.#data.dropped, 0, this.#number);
    const given = [...this.#sent, ...this.#waiting];
    this.#sent = [];
    this.#waiting = [];
    for (const { resolve } of given) resolve(undefined);
  }
}
