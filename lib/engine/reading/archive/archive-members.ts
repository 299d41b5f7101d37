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
    const output = this.#writer?.member(head) ?? NOWHERE;
    const stage = readMember(output, (start) => {
      const isTrace = looksLikeTrace(Buffer.from(start));
      counts[isTrace ? 'traces' : 'others']++;
      if (isTrace || (start.length > 0 && this.#context.archives !== 'traces only')) return true;
      this.#leaveOut(label, describeFirstBytes(start) ?? 'it is not a trace');
      return false;
    });
    return {
      push: (bytes) => withMember(label, () => stage.push(bytes)),
      end: () => withMember(label, () => stage.end()),
    };
  }

  other(head: MemberHead, what: string | undefined): void {
    this.#context.counts.others++;
    if (what !== undefined) this.#leaveOut(labelOf(head), what);
  }

  end(): void {
    this.#writer?.end();
  }

  #leaveOut(label: string, why: string): void {
    if (this.#writer !== undefined)
      this.#context.findings.warn(`archive member ${label} left out: ${why}`);
  }
}

function labelOf({ name }: MemberHead): string {
  return JSON.stringify(printable(name.toString('utf8')));
}

/** Runs a step of reading a member, and adds the member's name to the error about its bytes. */
function withMember(label: string, step: () => void): void {
  try {
    step();
  } catch (thrown) {
    if (!(thrown instanceof BigtraceError) || thrown.code !== 'trace_invalid') throw thrown;
    throw new BigtraceError('trace_invalid', `member ${label} of the archive: ${thrown.detail}`, {
      cause: thrown,
    });
  }
}
