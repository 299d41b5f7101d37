/** Finds the members of a tar file, of which it reads the headers only, if the store can read ranges. */
import { cutShort } from '../../common/archive/damage.ts';
import {
  checkTarAttributes,
  checkTarHeader,
  describeTarType,
  TAR_BLOCK_BYTES,
  type TarAttributes,
  tarAttributesIn,
  tarMemberKind,
  tarNameIn,
  tarPadding,
  tarSizeIn,
  tarTypeIn,
} from '../../common/archive/tar-header.ts';
import { textFromBytes } from '../../common/text/byte-text.ts';
import type { ByteCursor } from './archive-bytes.ts';
import { Directory } from './directory.ts';

const ZEROS = Buffer.alloc(TAR_BLOCK_BYTES);
/** The types of links: they have no data of their own. */
const LINKS = new Set(['1', '2']);

/** @throws trace_invalid, limit_exceeded */
export async function tarDirectory(cursor: ByteCursor, isGzip: boolean): Promise<Directory> {
  const directory = new Directory('tar');
  let attributes: TarAttributes = {};
  for (let zeroBlocks = 0; zeroBlocks < 2; ) {
    const header = await cursor.take(TAR_BLOCK_BYTES);
    if (header.length < TAR_BLOCK_BYTES) throw cutShort('tar');
    zeroBlocks = header.equals(ZEROS) ? zeroBlocks + 1 : 0;
    if (zeroBlocks > 0) continue;
    checkTarHeader(header);
    const type = tarTypeIn(header);
    const kind = tarMemberKind(type);
    const own = tarSizeIn(header);
    if (kind === 'attributes') {
      checkTarAttributes(own);
      attributes = { ...attributes, ...tarAttributesIn(type, await cursor.take(own)) };
      await cursor.skip(tarPadding(own));
      continue;
    }
    if (kind === 'ignored') {
      await cursor.skip(own + tarPadding(own));
      continue;
    }
    const { name = tarNameIn(header), bytes: size = own } = attributes;
    attributes = {};
    const data = { in: 'tar', at: cursor.at, isGzip } as const;
    if (kind === 'file') directory.add(textFromBytes(name), { size, data });
    else if (kind === 'other' && !LINKS.has(type))
      directory.add(textFromBytes(name), { size, data, problem: describeTarType(type) });
    if (!(await cursor.skip(size + tarPadding(size)))) throw cutShort('tar');
  }
  return directory;
}
