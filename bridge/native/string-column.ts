/** Columns of strings, which hold texts and blobs. */

import { doubleText } from '../../lib/common/text/double-text.ts';
import type { TextTarget } from '../cells/cells.ts';
import type { TableColumn } from '../columns/structure.ts';
import type { Output } from '../output.ts';
import { EMPTY, grown, NativeColumn, type Source } from './column.ts';
import { LENGTH_BYTES, writeLength } from './encoding.ts';

/** The size of the strings of a block, over all columns. */
export interface TextRoom {
  bytes: number;
}

/** Up to this length a loop over words is faster than a native copy. */
const SHORT_BYTES = 48;

/** A column does not keep a larger buffer than this for the next block. */
const BYTES_KEPT_MAX = 4 * 2 ** 20;

/** Extra room for the length of a text, and for the bytes that a copy by words writes behind it. */
const SPARE_BYTES = LENGTH_BYTES + 3;

const NO_VIEW = new DataView(new ArrayBuffer(0));

/** Its values are strings, each after its length. */
export class StringColumn extends NativeColumn implements TextTarget {
  readonly #room: TextRoom;
  #bytes: Buffer = EMPTY;
  /** A view of `#bytes`. */
  #view: DataView = NO_VIEW;
  #at = 0;
  /** Offset of the last string. */
  #lastFrom = 0;

  constructor(column: TableColumn, room: TextRoom) {
    super(column);
    this.#room = room;
  }

  protected integer(high: number, low: number): void {
    this.integerValue.set(high, low);
    this.fit.integer(this.integerValue);
    this.putAgain(Buffer.from(String(this.integerValue.bigint)));
  }

  protected double(value: number): void {
    this.fit.asText(value);
    this.putAgain(Buffer.from(doubleText(value)));
  }

  protected text(source: Source, from: number, to: number): void {
    const length = to - from;
    this.#lastFrom = this.#at;
    if (this.#at + length + SPARE_BYTES > this.#bytes.length) this.#grow(length);
    const at = writeLength(this.#bytes, this.#at, length);
    // A copy by words is faster than a native one. The next string overwrites the bytes behind the end.
    if (length > SHORT_BYTES || to + 4 > source.bytes.length)
      source.bytes.copy(this.#bytes, at, from, to);
    else
      for (let done = 0; done < length; done += 4)
        this.#view.setInt32(at + done, source.view.getInt32(from + done, true), true);
    this.#room.bytes += at + length - this.#at;
    this.#at = at + length;
    this.rows++;
  }

  texts(encoded: Uint8Array, count: number): void {
    this.reserve(count);
    if (this.#at + encoded.length + SPARE_BYTES > this.#bytes.length) this.#grow(encoded.length);
    this.#bytes.set(encoded, this.#at);
    this.#at += encoded.length;
    this.#room.bytes += encoded.length;
    this.rows += count;
  }

  protected blob(source: Source, from: number, to: number): void {
    this.text(source, from, to);
  }

  protected putFiller(): void {
    this.putAgain(EMPTY);
  }

  protected takeLast(): Buffer {
    const last = this.#bytes.subarray(this.#lastFrom, this.#at);
    this.#room.bytes -= last.length;
    this.#at = this.#lastFrom;
    this.rows--;
    let head = 0;
    while ((last[head++] as number) >= 0x80);
    return Buffer.from(last.subarray(head));
  }

  protected putAgain(value: Buffer): void {
    this.text({ bytes: value, view: NO_VIEW }, 0, value.length);
  }

  protected writeValues(output: Output): void {
    output.append(this.#bytes.subarray(0, this.#at));
  }

  protected clearValues(): void {
    this.#room.bytes -= this.#at;
    this.#at = 0;
    if (this.#bytes.length > BYTES_KEPT_MAX) this.#bytes = EMPTY;
  }

  #grow(length: number): void {
    const larger = Buffer.allocUnsafeSlow(grown(this.#at + length + SPARE_BYTES));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
