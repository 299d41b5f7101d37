/**
 * The code of the thread that reads small files for the local store (quick-files.ts). Its calls block: one step of the thread
 * takes a tenth of the processor time of as many calls that wait in Node's thread pool.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { BLOCKING_FILES } from './files.ts';
import { readFile, statEntry, statFile } from './local-file.ts';
import type { Answer, Batch, FileRequest, FileThreadData } from './quick-files.ts';

const port = parentPort;
if (port === null) throw new Error('file-thread.ts runs as a worker thread only');
const { roots, dropped } = workerData as FileThreadData;
const READY: Batch<Answer> = { number: 0, items: [] };

async function answer(request: FileRequest): Promise<Answer> {
  switch (request.is) {
    case 'stat':
      return statFile(BLOCKING_FILES, roots, request.path);
    case 'entry':
      return statEntry(BLOCKING_FILES, request.path);
    case 'read': {
      const chunks: Uint8Array[] = [];
      for await (const chunk of readFile(BLOCKING_FILES, roots, request.path, request))
        chunks.push(chunk);
      return chunks;
    }
  }
}

async function answers({ number, items }: Batch<FileRequest>): Promise<Batch<Answer>> {
  const found: Answer[] = [];
  for (const request of items) {
    const isDropped = Atomics.load(dropped, 0) >= number;
    // Whatever fails is repeated by the main thread, which then reports the failure.
    found.push(isDropped ? undefined : await answer(request).catch(() => undefined));
  }
  return { number, items: found };
}

port.on('message', (batch: Batch<FileRequest>) => {
  void answers(batch).then((found) => {
    const chunks = found.items.flatMap((item) => (Array.isArray(item) ? item : []));
    port.postMessage(
      found,
      chunks.map(({ buffer }) => buffer as ArrayBuffer),
    );
  });
});
port.postMessage(READY);
