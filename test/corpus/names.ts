/** Creates files with unusual names that every Linux file system allows. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { bytesFromText, textFromBytes } from '../../lib/common/text/byte-text.ts';

const NAMES = [
  ...['c:colon', '\u202artl\u202c', '🚀 emoji 日本語', 'UPPER', '!bang', 'back\\slash'],
  ...['--help', '-rf', '~tilde', 'esc\x1b[31m', 'glob*?[a-c]{x,y}', 'ctrl\x01', 'e\u0301-nfd'],
  ...['\u00e9-nfc', 'semi;pipe|amp&gt>lt<', 'dq"uote', '.hidden', '.', "we ird\tname's %20 é"],
  ...['new\nline', '#hash?query=1&b', '=cmd()', '$(id) `id` $HOME', 'cr\rreturn', '%2e%2e%2fup'],
  ...['@at', 'x'.repeat(247), textFromBytes(Buffer.from('latin1-\xe9', 'latin1'))],
  textFromBytes(Buffer.from('bad-utf8-\xff\xfe\xc3', 'latin1')),
].map((name) => `${name}.pftrace`);

/** Creates the files in a new directory `names` below `root`, and returns their paths relative to `root`. */
export function makeTroublesomeNames(root: string): string[] {
  const at = (path: string): Buffer =>
    Buffer.concat([Buffer.from(`${root}/`), bytesFromText(path)]);
  for (const path of ['names/dir.pftrace', 'names/dir with space é/inner\tdir'])
    mkdirSync(at(path), { recursive: true });
  const files = [
    ...NAMES,
    ...['trailing space ', 'no_extension', 'a,b\tc.csv', 'null'],
    'dir with space é/inner\tdir/a.pftrace',
  ].map((name) => `names/${name}`);
  files.forEach((path, n) => {
    writeFileSync(at(path), 'x'.repeat(n + 1));
  });
  symlinkSync('nowhere', at('names/symlink-dangling.pftrace'));
  symlinkSync('symlink-loop.pftrace', at('names/symlink-loop.pftrace'));
  return files;
}
