/** Lists the files of the repository, without symbolic links: those of git, or without `.git` all files that .gitignore does not exclude. */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Returns paths relative to the root, with `/` as separator. */
export function repositoryFiles(root) {
  return existsSync(join(root, '.git')) ? (filesOfGit(root) ?? filesBelow(root)) : filesBelow(root);
}

/** Returns tracked and untracked files without ignored and deleted ones; undefined if git cannot list them. */
function filesOfGit(root) {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const { status, stdout } = spawnSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) return undefined;
  const isFile = (path) => lstatSync(join(root, path), { throwIfNoEntry: false })?.isFile();
  return stdout.split('\0').filter((path) => path !== '' && isFile(path));
}

function filesBelow(root) {
  const isIgnored = ignoredBy(readFileSync(join(root, '.gitignore'), 'utf8'));
  const files = [];
  const walk = (prefix) => {
    for (const entry of readdirSync(join(root, prefix), { withFileTypes: true })) {
      const path = prefix + entry.name;
      if (entry.name === '.git' || isIgnored(path, entry)) continue;
      if (entry.isDirectory()) walk(`${path}/`);
      else if (entry.isFile()) files.push(path);
    }
  };
  walk('');
  return files.toSorted();
}

/** Supports the pattern forms that our `.gitignore` uses: `name`, `name/`, `/name`, `*.end`. */
function ignoredBy(text) {
  const rules = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return (path, entry) =>
    rules.some((rule) => {
      if (rule.endsWith('/') && !entry.isDirectory()) return false;
      const name = rule.replace(/^\/|\/$/g, '');
      if (rule.startsWith('/')) return path === name;
      return name.startsWith('*') ? entry.name.endsWith(name.slice(1)) : entry.name === name;
    });
}
