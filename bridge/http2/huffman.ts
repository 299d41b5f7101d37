/** The Huffman code of HPACK (RFC 7541, appendix B). */

/** Bits of the code of each symbol, from 0 to 255 and the end: digits of base 36. The code is canonical. */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu';

const END = 256;
const BITS_MAX = 30;

/** Of the codes of each length: the first one, and the position of its symbol in `symbols`. */
interface Length {
  first: number;
  at: number;
  count: number;
}

interface Code {
  symbols: number[];
  lengths: Length[];
}

function canonicalCode(): Code {
  const bits = [...LENGTHS].map((digit) => Number.parseInt(digit, 36));
  const symbols: number[] = [];
  const lengths: Length[] = [{ first: 0, at: 0, count: 0 }];
  let next = 0;
  for (let length = 1; length <= BITS_MAX; length++) {
    next *= 2;
    const own = bits.flatMap((each, symbol) => (each === length ? [symbol] : []));
    lengths.push({ first: next, at: symbols.length, count: own.length });
    symbols.push(...own);
    next += own.length;
  }
  return { symbols, lengths };
}

let code: Code | undefined;

/** Returns undefined if the bytes break the code. */
export function huffmanDecoded(bytes: Uint8Array): Buffer | undefined {
  code ??= canonicalCode();
  const { symbols, lengths } = code;
  const decoded: number[] = [];
  let value = 0;
  let length = 0;
  for (const byte of bytes)
    for (let bit = 7; bit >= 0; bit--) {
      value = value * 2 + ((byte >> bit) & 1);
      const { first, at, count } = lengths[++length] ?? { first: 0, at: 0, count: 0 };
      if (value - first < count) {
        const symbol = symbols[at + value - first] ?? END;
        if (symbol === END) return undefined;
        decoded.push(symbol);
        value = 0;
        length = 0;
      } else if (length === BITS_MAX) return undefined;
    }
  // The rest of the last byte is the beginning of the code of END: ones.
  return length < 8 && value === 2 ** length - 1 ? Buffer.from(decoded) : undefined;
}
