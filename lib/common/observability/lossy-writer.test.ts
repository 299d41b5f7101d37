import { expect, test } from 'vitest';
import { LossyWriter } from './lossy-writer.ts';

/** A disk that can become full, and that accepts at most five bytes per write. */
class Disk {
  text = '';
  room = Number.POSITIVE_INFINITY;

  write = (bytes: Uint8Array): number => {
    if (this.room === 0) throw new Error('ENOSPC: no space left on device, write');
    const some = bytes.subarray(0, Math.min(this.room, 5));
    this.room -= some.length;
    this.text += Buffer.from(some).toString();
    return some.length;
  };
}

function writer(disk: Disk): LossyWriter {
  return new LossyWriter(disk.write, (lines, reason) => `${lines} dropped: ${reason.slice(0, 6)}`);
}

test('lines that are written in several pieces are complete', () => {
  const disk = new Disk();
  writer(disk).write('one long line\nand another\n');
  expect(disk.text).toBe('one long line\nand another\n');
});

test('lines that do not fit are dropped, counted, and noted once there is room again', () => {
  const disk = new Disk();
  const log = writer(disk);
  log.write('first\n');
  disk.room = 0;
  log.write('second\n');
  log.write(Buffer.from('third\nfourth\n'));
  expect(log.dropped).toBe(3);
  disk.room = Number.POSITIVE_INFINITY;
  log.write('fifth\n');
  expect(disk.text).toBe('first\n3 dropped: ENOSPC\nfifth\n');
  expect(log.dropped).toBe(0);
});

test('a line that was cut off counts as dropped, and the note begins a new line', () => {
  const disk = new Disk();
  const log = writer(disk);
  disk.room = 4;
  log.write('first\nsecond\n');
  disk.room = Number.POSITIVE_INFINITY;
  log.write('third\n');
  expect(disk.text).toBe('firs\n2 dropped: ENOSPC\nthird\n');
});

test('a note that was cut off is written again, with the lines dropped meanwhile', () => {
  const disk = new Disk();
  const log = writer(disk);
  disk.room = 0;
  log.write('first\n');
  disk.room = 3;
  log.write('second\n');
  disk.room = Number.POSITIVE_INFINITY;
  log.write('third\n');
  expect(disk.text).toBe('1 d\n2 dropped: ENOSPC\nthird\n');
});
