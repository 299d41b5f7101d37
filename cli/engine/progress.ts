/** Shows how far a download is: a line that is replaced on a terminal, nothing elsewhere. */
import type { OnProgress } from './add.ts';

const INTERVAL_MS = 100;

export function progressOn(stream: NodeJS.WriteStream): { show: OnProgress; end: () => void } {
  let shownMs = 0;
  return {
    show: (file, bytes, size) => {
      if (!stream.isTTY || performance.now() - shownMs < INTERVAL_MS) return;
      shownMs = performance.now();
      const of = size === undefined ? '' : ` of ${megabytes(size)}`;
      stream.write(`\r\x1b[K${file}: ${megabytes(bytes)}${of} MB`);
    },
    end: () => {
      if (stream.isTTY) stream.write('\r\x1b[K');
    },
  };
}

/** Shows the steps of a longer work: a line that is replaced on a terminal, lines elsewhere. */
export function stepsOn(stream: NodeJS.WriteStream): {
  show: (text: string) => void;
  end: () => void;
} {
  return {
    show: (text) => stream.write(stream.isTTY ? `\r\x1b[K${text}` : `${text}\n`),
    end: () => {
      if (stream.isTTY) stream.write('\r\x1b[K');
    },
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
