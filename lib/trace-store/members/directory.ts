/** The members of an archive: their names, sizes, and where their data is. */
import { BigtraceError } from '../../common/errors.ts';
import { memberName, shown } from './member-path.ts';

/** Maximum number of members of an archive whose members are traces of their own. */
export const MEMBERS_MAX = 100_000;

export type MemberData =
  /** In a zip file; `headerAt` is the offset of the header before the data. */
  | { in: 'zip'; headerAt: number; packedBytes: number; method: number; checksum: number }
  /** In a tar file, which may be compressed as a whole: offset in the tar file. */
  | { in: 'tar'; at: number; isGzip: boolean };

export interface Member {
  /** Bytes that a read returns. */
  size: number;
  data: MemberData;
  /** Why the member cannot be read; undefined if it can. */
  problem?: string;
}

export class Directory {
  readonly members = new Map<string, Member>();
  readonly #format: string;

  constructor(format: string) {
    this.#format = format;
  }

  /**
   * @param name as it stands in the archive
   * @throws trace_invalid if the name is unusable; limit_exceeded if there are too many members
   */
  add(name: string, member: Member): void {
    const key = memberName(name, this.#format);
    if (key === '') return;
    const problem = this.members.has(key)
      ? 'the archive has several members with this name'
      : member.problem;
    this.members.set(key, problem === undefined ? member : { ...member, problem });
    if (this.members.size > MEMBERS_MAX)
      throw new BigtraceError(
        'limit_exceeded',
        `the archive has more than ${MEMBERS_MAX} members, the bound; split it, or store its traces as files`,
      );
  }

  /** @throws trace_not_found, trace_invalid */
  member(name: string): Member {
    const found = this.members.get(name);
    if (found === undefined)
      throw new BigtraceError('trace_not_found', `the archive has no member ${shown(name)}`);
    if (found.problem !== undefined)
      throw new BigtraceError(
        'trace_invalid',
        `member ${shown(name)} of the archive cannot be read: ${found.problem}`,
      );
    return found;
  }
}
