/** What an archive consists of, for its readers (zip, tar) and for what they pass the members to. */
import type { Sink } from '../stage.ts';

export interface MemberHead {
  /** The name as it stands in the archive. */
  name: Buffer;
  /** Time of the last change, as zip files have it: date and time of MS-DOS. */
  modified: number;
}

export interface MemberSink {
  /** Begins a file. The returned stage receives its content, and `end` at its end. */
  file(member: MemberHead): Sink;
  /** Reports a member that is no file, such as a directory (`what` is undefined) or a link. */
  other(member: MemberHead, what: string | undefined): void;
  /** Ends the archive. */
  end(): void;
}
