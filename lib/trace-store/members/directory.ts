/** The members of an archive: their names, sizes, and where their data is. */
import { BigtraceError } from '../../common/errors.ts';
import { memberName, shown } from './member-path.ts';

/** Maximum number of members of an archive whose members are traces of their own. */
export const MEMBERS_MAX = 100_000;

/** Bound of the length of all names together, in UTF-16 units: names are kept in memory. */
const NAMES_CHARS_MAX = 32 * 2 ** 20;
/** So long names weigh as much as a member. */
const CHARS_PER_WEIGHT = 512;

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
  #nameChars = 0;

  constructor(format: string) {
    this.#format = format;
  }

  /**
   * @param name as it stands in the archive
   * @throws trace_invalid if the name is unusable; limit_exceeded if there are too many members, or too long names
   */
  add(name: string, member: Member): void {
    const key = memberName(name, this.#format);
    if (key === '') return;
    this.#nameChars += key.length;
    if (this.#nameChars > NAMES_CHARS_MAX)
      throw new BigtraceError(
        'limit_exceeded',
        `the names of the archive's members have more than ${NAMES_CHARS_MAX} characters, the bound; split it, or store its traces as files`,
      );
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

  /** What it takes up in memory, in members with names of ordinary length. */
  get weight(): number {
    return 1 + this.members.size + Math.floor(this.#nameChars / CHARS_PER_WEIGHT);
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
