/** Checks relative links in the documentation: the file, and the heading that an anchor names, must exist. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { join, normalize } from 'node:path/posix';

/**
 * Returns a complaint for each broken link in the document `path`.
 * @param files paths of all files of the repository
 */
export function brokenLinks(root, path, files) {
  const text = withoutCode(readFileSync(join(root, path), 'utf8'));
  const links = [...text.matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)/g)];
  return links
    .filter(([, target, anchor]) => {
      const file = target === '' ? path : normalize(join(dirname(path), target));
      if (anchor !== undefined) return !headingsOf(root, file).includes(anchor);
      return !files.some((one) => one === file || one.startsWith(`${file}/`));
    })
    .map(([link]) => `${path}: ${link.slice(1)} leads nowhere`);
}

/** Returns the anchors of a document's headings, formed as GitHub forms them. */
function headingsOf(root, file) {
  if (!existsSync(join(root, file))) return [];
  const headings = withoutCode(readFileSync(join(root, file), 'utf8')).matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function withoutCode(text) {
  return text.replace(/^ *```[\s\S]*?^ *```/gm, '');
}
