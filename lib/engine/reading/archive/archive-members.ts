/** Decides about each member of an archive: it is read as a file of its own is, and it may be left out. */
import { BigtraceError } from '../../../common/errors.ts';
import { printable } from '../../../common/text/byte-text.ts';
import { describeFirstBytes, looksLikeTrace } from '../../first-bytes.ts';
import type { Findings } from '../findings.ts';
import type { ReadingMode } from '../read-again.ts';
import type { Sink } from '../stage.ts';
import type { MemberHead, MemberSink } from './members.ts';
import type { ZipWriter } from './zip-writer.ts';

/** Discards its input. */
export const NOWHERE: Sink = { push: () => {}, end: () => {} };

/**
 * TraceProcessor takes a zip with `bugreport-*.txt` for an Android bugreport, and the year of its logs from the end of
 * that name. It crashes when the name is too short for a date.
 */
const BUGREPORT = /^bugreport-.*\.txt$/s;
const DATED_NAME_BYTES = '2026-12-31-23-59-00.txt'.length;
/** Put before such a name: the engine then reads the file as it reads one whose name has no date. */
const UNDATED = Buffer.from('undated-');

/** How many members look like traces, and how many do not. Archives within archives count, too. */
export class MemberCounts {
  traces = 0;
  others = 0;
}

/** Called with the first bytes of a file that is no container. @returns whether it is read */
export type Judge = (head: Uint8Array) => boolean;

export interface ArchiveContext {
  archives: ReadingMode['archives'];
  counts: MemberCounts;
  findings: Findings;
  /** Called where what is written differs from the archive. */
  changed: () => void;
  /** Creates the stage that reads a member. */
  readMember: (output: Sink, judge: Judge) => Sink;
}

export class ArchiveMembers implements MemberSink {
  readonly #context: ArchiveContext;
  readonly #writer: ZipWriter | undefined;

  /** Without a `writer`, the archive is only looked at. */
  constructor(context: ArchiveContext, writer: ZipWriter | undefined) {
    this.#context = context;
    this.#writer = writer;
  }

  file(head: MemberHead): Sink {
    const { readMember, counts } = this.#context;
    const label = labelOf(head);
    const engineHead = this.#engineHead(head);
    const output = this.#writer?.member(engineHead) ?? NOWHERE;
    const stage = readMember(output, (start) => {
      const isTrace = looksLikeTrace(Buffer.from(start));
      counts[isTrace ? 'traces' : 'others']++;
      if (isTrace || (start.length > 0 && this.#context.archives !== 'traces only')) return true;
      this.#omit(label, describeFirstBytes(start) ?? 'it is not a trace');
      return false;
    });
    return {
      push: (bytes) => this.#within(label, () => stage.push(bytes)),
      end: () => this.#within(label, () => stage.end()),
    };
  }

  other(head: MemberHead, what: string | undefined): void {
    this.#context.counts.others++;
    if (what !== undefined) this.#omit(labelOf(head), what);
  }

  end(): void {
    this.#writer?.end();
  }

  /** Returns the head under which the engine can read the member. */
  #engineHead(head: MemberHead): MemberHead {
    const { name } = head;
    if (name.length >= DATED_NAME_BYTES || !BUGREPORT.test(name.toString('latin1'))) return head;
    this.#context.changed();
    return { ...head, name: Buffer.concat([UNDATED, name]) };
  }

  /** Runs a step of reading a member, and adds the member's name to the error about its bytes. */
  #within(label: string, step: () => void): void {
    try {
      this.#context.findings.within(label, step);
    } catch (thrown) {
      if (!(thrown instanceof BigtraceError) || thrown.code !== 'trace_invalid') throw thrown;
      throw new BigtraceError('trace_invalid', `member ${label} of the archive: ${thrown.detail}`, {
        cause: thrown,
      });
    }
  }

  #omit(label: string, why: string): void {
    if (this.#writer !== undefined)
      this.#context.findings.warn(`archive member ${label} left out: ${why}`);
  }
}

function labelOf({ name }: MemberHead): string {
  return JSON.stringify(printable(name.toString('utf8')));
}
