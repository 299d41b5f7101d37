/** A 64-bit integer without a bigint: its sign, and its magnitude as two signed 32-bit words (the form that V8 has). */
export class Int64 {
  negative = false;
  high = 0;
  low = 0;

  /** Sets the value from the two words of its two's complement. */
  set(high: number, low: number): void {
    this.negative = high < 0;
    if (this.negative) {
      this.low = -low | 0;
      this.high = (low === 0 ? -high : ~high) | 0;
    } else {
      this.low = low;
      this.high = high;
    }
  }

  /** The value as a number; exact if `safe`. */
  get number(): number {
    const magnitude = (this.high >>> 0) * 2 ** 32 + (this.low >>> 0);
    return this.negative ? -magnitude : magnitude;
  }

  get safe(): boolean {
    return this.high >>> 0 < 2 ** 21;
  }

  get bigint(): bigint {
    const magnitude = (BigInt(this.high >>> 0) << 32n) | BigInt(this.low >>> 0);
    return this.negative ? -magnitude : magnitude;
  }
}
