/**
 * The imports of the wasm module. They give it no files, network, environment variables or time zone. An import
 * that is not implemented here returns ENOSYS.
 */
import type { ImportFunction, ResolveImport } from './module-instance.ts';
import type { WasmAbi } from './wasm-abi.ts';

const ENOSYS = 52;
const ENOTTY = 59;
const REALTIME = 0;
const STDERR = 2;
/** Text on stderr is dropped after this many characters are kept; a single write is cut to this length. */
const LOG_CHARS_MAX = 16_384;
const REASON_CHARS_MAX = 500;

/** The engine called a function that ends it, such as exit or abort. */
class EngineExit extends Error {
  override readonly name = 'EngineExit';
}

/** Keeps the first part of what the engine wrote to stderr since the last `clear`. */
export class StderrLog {
  #text = '';

  clear(): void {
    this.#text = '';
  }

  write(bytes: Uint8Array): void {
    if (this.#text.length < LOG_CHARS_MAX)
      this.#text += Buffer.from(bytes).toString('utf8').slice(0, LOG_CHARS_MAX);
  }

  /** Returns the line with the reason of a crash: a failed check or memory growth, else the last line. */
  reason(): string {
    const lines = this.#text.split('\n').filter((line) => line.trim() !== '');
    const line = lines.find((each) => /PERFETTO_(CHECK|FATAL)|annot enlarge/.test(each));
    return (line ?? lines.at(-1) ?? '')
      .replace(/^\[[\d.]+\]\s*/, '')
      .trim()
      .slice(0, REASON_CHARS_MAX);
  }
}

export interface HostEnvironment {
  /** The whole memory. */
  buffer(): ArrayBuffer;
  /** Grows the memory. @returns whether it now has at least `bytes` */
  growTo(bytes: number): boolean;
  stderr: StderrLog;
  abi: WasmAbi;
}

export function wasmImports(host: HostEnvironment): ResolveImport {
  const implementations: Record<string, ImportFunction> = {
    ...processImports(host),
    ...timeImports(host),
  };
  return ({ name }) =>
    implementations[name] ?? (() => (name.startsWith('__syscall_') ? -ENOSYS : ENOSYS));
}

function processImports({ buffer, growTo, stderr, abi }: HostEnvironment) {
  const { is64, address, sizeAt, putSize } = abi;
  const exit = (reason: string) => (): never => {
    throw new EngineExit(reason);
  };
  const nothing = (): number => 0;
  return {
    exit: exit('exit'),
    proc_exit: exit('exit'),
    _abort_js: exit('abort'),
    __assert_fail: exit('assertion failed'),
    __cxa_throw: exit('C++ exception'),
    emscripten_get_heap_max: () => (is64 ? abi.memoryBytesMax : -65536), // 4 GiB less a page
    emscripten_resize_heap: (bytes: number) => (growTo(address(bytes)) ? 1 : 0),
    emscripten_errn: (at: number, length: number) =>
      stderr.write(new Uint8Array(buffer(), address(at), length)),
    emscripten_stack_snapshot: nothing,
    emscripten_stack_unwind_buffer: nothing,
    emscripten_asm_const_int: nothing,
    emscripten_pc_get_function: nothing,
    HaveOffsetConverter: nothing,
    __syscall_ioctl: () => -ENOTTY,
    fd_close: nothing,
    fd_write: (fd: number, vectors: number, count: number, writtenAt: number) => {
      const view = new DataView(buffer());
      let written = 0;
      for (let i = 0; i < count; i++) {
        const at = sizeAt(view, vectors + 2 * abi.sizeBytes * i);
        const length = sizeAt(view, vectors + 2 * abi.sizeBytes * i + abi.sizeBytes);
        if (fd === STDERR) stderr.write(new Uint8Array(buffer(), at, length));
        written += length;
      }
      putSize(view, writtenAt, written);
      return 0;
    },
    environ_sizes_get: (countAt: number, bytesAt: number) => {
      const view = new DataView(buffer());
      putSize(view, countAt, 0);
      putSize(view, bytesAt, 0);
      return 0;
    },
    environ_get: nothing,
  };
}

/**
 * The time of day is real, in UTC. The monotonic clock stands still: TraceProcessor uses it only to report durations
 * (`elapsed_time_ms` of every result), and without them equal queries return equal bytes.
 */
function timeImports({ buffer }: HostEnvironment) {
  const writeTime = (seconds: bigint | number, at: number): void => {
    const date = new Date(Number(seconds) * 1000);
    const yearStart = Date.UTC(date.getUTCFullYear(), 0, 1);
    const fields = [
      date.getUTCSeconds(),
      date.getUTCMinutes(),
      date.getUTCHours(),
      date.getUTCDate(),
      date.getUTCMonth(),
      date.getUTCFullYear() - 1900,
      date.getUTCDay(),
      Math.floor((date.getTime() - yearStart) / 86_400_000),
      0, // daylight saving
      0, // offset from UTC
    ];
    const view = new DataView(buffer());
    for (const [i, field] of fields.entries()) view.setInt32(at + 4 * i, field, true);
  };
  return {
    emscripten_get_now: () => 0,
    emscripten_date_now: () => Date.now(),
    clock_time_get: (clock: number, _precision: bigint, at: number) => {
      const now = clock === REALTIME ? BigInt(Date.now()) * 1_000_000n : 0n;
      new DataView(buffer()).setBigUint64(at, now, true);
      return 0;
    },
    _gmtime_js: writeTime,
    _localtime_js: writeTime,
    _timegm_js: (at: number) => {
      const view = new DataView(buffer());
      const [second, minute, hour, day, month, year] = [0, 4, 8, 12, 16, 20].map((offset) =>
        view.getInt32(at + offset, true),
      ) as [number, number, number, number, number, number];
      const seconds = Date.UTC(year + 1900, month, day, hour, minute, second) / 1000;
      if (!Number.isFinite(seconds)) return -1n;
      writeTime(BigInt(seconds), at);
      return BigInt(seconds);
    },
    _tzset_js: (_timezoneAt: number, _daylightAt: number, standardAt: number, summerAt: number) => {
      for (const at of [standardAt, summerAt])
        new Uint8Array(buffer()).set([0x55, 0x54, 0x43, 0], at); // "UTC"
    },
  };
}
