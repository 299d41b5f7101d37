/**
 * What is known against the packages that are passed on (`npm audit`), and whether the list of them (sbom.mjs)
 * is whole. Fails on findings of LEVELS. A registry that is a mirror often cannot be asked for findings: that
 * is said, and is no failure.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { passedOn, sbom } from './sbom.mjs';

const LEVELS = ['high', 'critical'];
/** Not found, method not allowed, not implemented: this registry has no such endpoint. */
const NO_ENDPOINT = [404, 405, 501];

/** @param report what `npm audit --json` prints */
export function retryDecision(report) {
  const { vulnerabilities, statusCode, message } = report;
  if (NO_ENDPOINT.includes(statusCode))
    return { ok: true, text: `audit: this registry could not be asked: ${message}` };
  if (vulnerabilities === undefined)
    return { ok: false, text: `audit: npm audit failed: ${JSON.stringify(report)}` };
  const found = Object.values(vulnerabilities).filter(({ severity }) => LEVELS.includes(severity));
  const lines = found.map(({ name, range, severity }) => `  ${severity}: ${name} ${range}`);
  return {
    ok: found.length === 0,
    text: [`audit: ${found.length} findings of ${LEVELS.join(' or ')}`, ...lines].join('\n'),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { stdout } = spawnSync('npm', ['audit', '--omit', 'dev', '--json'], { encoding: 'utf8' });
  const { ok, text } = retryDecision(JSON.parse(stdout));
  console.log(text);
  const listed = new Set(sbom().components.map(({ purl }) => decodeURIComponent(purl)));
  const missing = passedOn().filter((purl) => !listed.has(purl));
  console.log(`sbom: ${listed.size} packages, ${missing.length} missing ${missing.join(' ')}`);
  process.exitCode = ok && missing.length === 0 ? 0 : 1;
}
